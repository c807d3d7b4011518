export declare function row(name: string, ok: boolean, text: string, figures?: Readonly<Record<string, unknown>>): void;
