import type { Bridge, Handle } from '../../src/backends/torch/bridge.ts';

/** What was done through a bridge: operators called, kernels launched, tensors brought, freed and read, by handle. */
export type Trace = (readonly unknown[])[];

/** A bridge that writes down what is done through it. */
export function recorded(bridge: Bridge, trace: Trace): Bridge {
  const names: string[] = [];
  const described = (result: unknown): unknown[] =>
    [result].flat().map((each) => (typeof each === 'number' ? [each, ...bridge.info(each as Handle)] : []));
  return {
    ...bridge,
    op: (name, overload) => {
      const op = bridge.op(name, overload);
      names[op] = overload === '' ? name : `${name}.${overload}`;
      return op;
    },
    call: (op, ...args) => {
      const result = bridge.call(op, ...args);
      trace.push(['call', names[op], args, described(result)]);
      return result;
    },
    fromHost: (values, shape, device) => {
      const handle = bridge.fromHost(values, shape, device);
      trace.push(['host', handle, ...bridge.info(handle)]);
      return handle;
    },
    toHost: (tensor) => {
      trace.push(['read', tensor]);
      return bridge.toHost(tensor);
    },
    free: (tensor) => {
      trace.push(['free', tensor]);
      bridge.free(tensor);
    },
    launch: (kernel, grid, block, types, ...args) => {
      trace.push(['launch', kernel, ...args.filter((_, i) => types[i] === 'p')]);
      bridge.launch(kernel, grid, block, types, ...args);
    },
  };
}
