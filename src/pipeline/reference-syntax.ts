const syntax = /^([A-Za-z][A-Za-z0-9_-]*)(?:\[([^\]]*)\])?(?:\.([A-Za-z][A-Za-z0-9_]*))?$/;

/** `stage`, `stage.port` or `stage[key=value].port`, in parts; `undefined` for anything else. */
export interface WrittenReference {
  readonly name: string;
  readonly selection?: string;
  readonly port?: string;
}

export function parseReference(text: string): WrittenReference | undefined {
  const [, name, selection, port] = syntax.exec(text.trim()) ?? [];
  if (name === undefined) return undefined;
  return { name, ...(selection === undefined ? {} : { selection }), ...(port === undefined ? {} : { port }) };
}
