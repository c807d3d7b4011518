// Training steps of ours beside a compiled RoBERTa of transformers, in turn: tokens/s and the share of the GPU's peak.
import { parseArgs } from 'node:util';
import { contest, flopsPerToken, median, sizes } from '../../training/contest.mjs';
import { row } from '../row.mjs';

const { values: options } = parseArgs({
  options: {
    device: { type: 'string' },
    python: { type: 'string' },
    size: { type: 'string' },
    head: { type: 'string', default: 'every' },
    rounds: { type: 'string', default: '5' },
  },
});
/** TFLOP/s of dense bf16 products, by the data sheets, for names as the driver gives them. */
const peaks = [
  [/A100/, 312],
  [/H100 PCIe/, 756],
  [/H100 NVL/, 835],
  [/H100|H200|GH200/, 989],
  [/B200/, 2250],
];
const { device, python, size, head } = options;
const shape = sizes[size];
const cuda = device === 'cuda';
const precision = 'bf16';
const name = `${size}, ${shape.batch}x${shape.length}${head === 'masked' ? ', both heads on masked tokens' : ''}`;

// On a GPU, whose queue must not run dry, a step that is asked for is ten.
const { ours, peer } = contest({
  python,
  backend: 'torch',
  shape,
  precision,
  device,
  head,
  repeat: cuda ? 10 : 1,
  threads: 2,
});
const rate = (answers) => (shape.batch * shape.length * 1e3) / median(answers.map(({ ms }) => ms));

let peak;
const ourName = await ours.ready();
await ours.ask('step');
const alone = [await ours.ask('step'), await ours.ask('step')];
row(name, true, `${ourName}: ${tokens(alone)}, alone; the peer is not ready yet`, { ours: rate(alone) });

const peerName = await peer.ready();
peak = peaks.find(([pattern]) => pattern.test(peerName))?.[1];
// torch.compile compiles in its first steps.
for (let i = 0; i < 2; i++) for (const each of [peer, ours]) await each.ask('step');
const [theirs, mine] = [[], []];
for (let i = 0; i < Number(options.rounds); i++) {
  theirs.push(await peer.ask('step'));
  mine.push(await ours.ask('step'));
  report();
}
report(await peer.ask('gemm'));
for (const each of [peer, ours]) each.end();

function report(gemm) {
  const ratio = median(theirs.map(({ ms }, i) => ms / mine[i].ms));
  const figures = {
    ours: rate(mine),
    peer: rate(theirs),
    ratio,
    rounds: mine.length,
    peerName,
    ...(peak === undefined ? {} : { peak_tflops: peak, mfu: share(mine), peer_mfu: share(theirs) }),
    ...(gemm === undefined ? {} : { gemm_tflops: gemm[precision] / 1e3 }),
    losses: { ours: mine.at(-1).loss, peer: theirs.at(-1).loss },
  };
  row(
    name,
    true,
    `ours ${tokens(mine)}, peer ${tokens(theirs)}: ${ratio.toFixed(2)} times, ${mine.length} rounds; ${peerName}` +
      (peak === undefined ? '' : `, ${peak} TFLOP/s by its data sheet`) +
      (gemm === undefined ? '' : `, ${(gemm[precision] / 1e3).toPrecision(3)} in one product`),
    figures,
  );
}

/** Tokens a second, and the share of the peak that they need, the head counted on masked positions for both. */
function tokens(answers) {
  const text = `${Math.round(rate(answers)).toLocaleString('en')} tokens/s`;
  return peak === undefined ? text : `${text} (MFU ${(100 * share(answers)).toFixed(1)}%)`;
}

function share(answers) {
  return (flopsPerToken(shape, 0.15) * rate(answers)) / (peak * 1e12);
}
