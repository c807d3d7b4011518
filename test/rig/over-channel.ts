/** What is left of a value that one process sends another. */
export const overChannel = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
