// In place of a dialect of sequelize that nobody here speaks.
throw new Error('Only the PostgreSQL dialect is in the bundle.')
