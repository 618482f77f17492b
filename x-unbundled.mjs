const t=performance.now()
await import('sequelize'); await import('pg'); await import('pino'); await import('zod')
console.log((performance.now()-t).toFixed(1))
