import type { Addon, Handle } from '../../src/backends/torch/addon.ts';

/** What was done through an addon: operators called, kernels launched, tensors brought, freed and read, by handle. */
export type Trace = (readonly unknown[])[];

/** An addon that writes down what is done through it. */
export function recorded(addon: Addon, trace: Trace): Addon {
  const names: string[] = [];
  const described = (result: unknown): unknown[] =>
    [result].flat().map((each) => (typeof each === 'number' ? [each, ...addon.info(each as Handle)] : []));
  return {
    ...addon,
    op: (name, overload) => {
      const op = addon.op(name, overload);
      names[op] = overload === '' ? name : `${name}.${overload}`;
      return op;
    },
    call: (op, ...args) => {
      const result = addon.call(op, ...args);
      trace.push(['call', names[op], args, described(result)]);
      return result;
    },
    fromHost: (values, shape, device) => {
      const handle = addon.fromHost(values, shape, device);
      trace.push(['host', handle, ...addon.info(handle)]);
      return handle;
    },
    toHost: (tensor) => {
      trace.push(['read', tensor]);
      return addon.toHost(tensor);
    },
    free: (tensor) => {
      trace.push(['free', tensor]);
      addon.free(tensor);
    },
    launch: (kernel, grid, block, types, ...args) => {
      trace.push(['launch', kernel, ...args.filter((_, i) => types[i] === 'p')]);
      addon.launch(kernel, grid, block, types, ...args);
    },
  };
}
