import { readFileSync } from 'node:fs';

/**
 * How products of bfloat16 matrices are computed: by the processor's own instructions, or, where those are slower than
 * its float32 ones or missing, in float32 on the same rounded values, which float32 holds exactly.
 */
export type Bfloat16Products = 'native' | 'widened';

/** For the processor that `/proc/cpuinfo` describes: native with Intel's AMX, and on AMD with AVX512-BF16. */
export function bfloat16Products(cpuinfo: string): Bfloat16Products {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1]?.split(' '));
  const amd = /^vendor_id\s*:\s*AuthenticAMD$/m.test(cpuinfo);
  return flags.has('amx_bf16') || (amd && flags.has('avx512_bf16')) ? 'native' : 'widened';
}

export function readCpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}
