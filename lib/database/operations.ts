import type {
  Attributes,
  CountOptions,
  CreationAttributes,
  DestroyOptions,
  FindOptions,
  Identifier,
  Model,
  ModelStatic,
  UpdateOptions,
  UpsertOptions,
} from 'sequelize'
import { findByPk } from './find-by-pk.ts'
import type { DatabaseService, ExecuteOptions } from './service.ts'
import type { Models } from '../app/models/index.ts'

type ModelName = keyof Models
type Row<Name extends ModelName> = InstanceType<Models[Name]>
type Without<Options> = Omit<Options, 'transaction' | 'logging' | 'benchmark'>
type Untyped = ModelStatic<never> & Record<string, (...given: unknown[]) => Promise<unknown>>

/** What people do most, each as one operation with a name of its own, such as `User.findByPk`. */
export interface Operations {
  create<Name extends ModelName>(model: Name, values: CreationAttributes<Row<Name>>, options?: ExecuteOptions): Promise<Row<Name>>
  findByPk<Name extends ModelName>(
    model: Name,
    id: Identifier,
    find?: Without<FindOptions<Attributes<Row<Name>>>>,
    options?: ExecuteOptions,
  ): Promise<Row<Name> | null>
  findOne<Name extends ModelName>(model: Name, find: Without<FindOptions<Attributes<Row<Name>>>>, options?: ExecuteOptions): Promise<Row<Name> | null>
  findAll<Name extends ModelName>(model: Name, find: Without<FindOptions<Attributes<Row<Name>>>>, options?: ExecuteOptions): Promise<Row<Name>[]>
  count<Name extends ModelName>(model: Name, count: Without<CountOptions<Attributes<Row<Name>>>>, options?: ExecuteOptions): Promise<number>
  /** Resolves to how many rows were changed. */
  update<Name extends ModelName>(
    model: Name,
    values: Partial<Attributes<Row<Name>>>,
    update: Without<UpdateOptions<Attributes<Row<Name>>>>,
    options?: ExecuteOptions,
  ): Promise<number>
  /** Resolves to how many rows were deleted. */
  destroy<Name extends ModelName>(model: Name, destroy: Without<DestroyOptions<Attributes<Row<Name>>>>, options?: ExecuteOptions): Promise<number>
  upsert<Name extends ModelName>(
    model: Name,
    values: CreationAttributes<Row<Name>>,
    upsert?: Without<UpsertOptions<Attributes<Row<Name>>>>,
    options?: ExecuteOptions,
  ): Promise<Row<Name>>
  /** A statement with `$name` for each value; `mode: 'read'` unless told otherwise. */
  query<Result extends object>(name: string, text: string, bind?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<Result[]>
}

/** Wraps a service. Reads are reads to the server as well: one trip, and no chance to write. */
export function createOperations(service: DatabaseService): Operations {
  const read = { mode: 'read' } as const
  function on<Result>(model: ModelName, method: string, given: unknown[], options: ExecuteOptions = {}): Promise<Result> {
    return service.execute(
      `${model}.${method}`,
      ({ models }) => (models[model] as unknown as Untyped)[method]?.(...given) as Promise<Result>,
      options,
    )
  }
  return {
    create: (model, values, options) => on(model, 'create', [values], options),
    findByPk: <Name extends ModelName>(name: Name, id: Identifier, find?: object, options?: ExecuteOptions) =>
      service.execute(
        `${name}.findByPk`,
        work => findByPk(work.models[name] as unknown as ModelStatic<Model>, id, find, work) as Promise<Row<Name> | null>,
        { ...read, ...options },
      ),
    findOne: (model, find, options) => on(model, 'findOne', [find], { ...read, ...options }),
    findAll: (model, find, options) => on(model, 'findAll', [find], { ...read, ...options }),
    count: (model, count, options) => on(model, 'count', [count], { ...read, ...options }),
    update: async (model, values, update, options) => (await on<[number]>(model, 'update', [values, update], options))[0],
    destroy: (model, destroy, options) => on(model, 'destroy', [destroy], options),
    upsert: async (model, values, upsert = {}, options) => (await on<[never, boolean | null]>(model, 'upsert', [values, upsert], options))[0],
    query: (name, text, bind = {}, options) => service.execute(name, work => work.query(text, bind), { ...read, ...options }),
  }
}
