// Names of tables and columns in a query: always quoted, so that no name is ever read as SQL.

/** `sales.orders` → `"sales"."orders"`: a dot stands between a schema and its table. */
export function quoteTable(name: string): string {
  return name.split('.').map(quoteName).join('.')
}

export function quoteName(name: string): string {
  if (name === '' || name.includes('\0')) throw new Error(`${JSON.stringify(name)} is no name in a database`)
  return `"${name.replaceAll('"', '""')}"`
}
