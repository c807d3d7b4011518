/**
 * Report something that a step has found, as a line that check.py keeps at once. A row of the same name replaces the
 * one before; a step with a row that is not `ok` has failed.
 */
export function row(name, ok, text, figures = {}) {
  console.log(JSON.stringify({ row: { name, ok, text, ...figures } }));
}
