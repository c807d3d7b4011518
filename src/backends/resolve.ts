/**
 * The backend a pipeline's `backend:` stands for on this machine, decided at plan time because numerics depend on it.
 * `auto` is wasm: the one that a plain install brings along.
 */
export function resolveBackend(name: string): string {
  return name === 'auto' ? 'wasm' : name;
}
