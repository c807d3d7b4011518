import { expect, test } from 'vitest';
import { bfloat16Products } from '../../src/backends/torch/bfloat16.ts';

const cpuinfo = (vendor: string, flags: string) =>
  `processor\t: 0\nvendor_id\t: ${vendor}\nmodel name\t: Some Processor\nflags\t\t: fpu sse2 ${flags} ` +
  `clflush\nbogomips\t: 4600.00\n`;

test.each([
  { processor: 'Zen 4', text: cpuinfo('AuthenticAMD', 'avx512f avx512_bf16'), products: 'native' },
  {
    processor: 'Sapphire Rapids',
    text: cpuinfo('GenuineIntel', 'avx512f avx512_bf16 amx_bf16 amx_tile'),
    products: 'native',
  },
  {
    processor: 'Sapphire Rapids in a machine that hides AMX',
    text: cpuinfo('GenuineIntel', 'avx512f avx512_bf16'),
    products: 'widened',
  },
  { processor: 'Zen 2', text: cpuinfo('AuthenticAMD', 'avx2'), products: 'widened' },
  { processor: 'a machine that says nothing', text: '', products: 'widened' },
])('bf16 products on $processor are $products', ({ text, products }) => {
  expect(bfloat16Products(text)).toBe(products);
});
