import { buffer } from 'node:stream/consumers';
import { argMax } from '@tensorflow/tfjs-core';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openBackend } from '../../src/backends/select.ts';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { reportMetrics } from '../../src/corpus/corpus-report.ts';
import { openStageSource } from '../../src/sources/source.ts';
import { decideClasses, type Classes } from '../../src/training/classes.ts';
import { classificationMetrics } from '../../src/training/classification-metrics.ts';
import { maxTokens, type RobertaConfig } from '../../src/model/config.ts';
import { samplesOf } from '../../src/training/data-order.ts';
import { readModel, writeModel, type LoadedModel } from '../../src/model/hf.ts';
import { parseLabelledTexts, type LabelledText } from '../../src/training/labelled-texts.ts';
import { padded } from '../../src/training/masked-batch.ts';
import { Optimizer } from '../../src/training/optimizer.ts';
import {
  createParameters,
  disposeParameters,
  initialValues,
  parameterSpecs,
  readParameters,
  type Head,
} from '../../src/model/parameters.ts';
import { classificationLogits, encode, loss, type Roberta } from '../../src/model/roberta.ts';
import { learningRate } from '../../src/training/schedule.ts';
import { trainStep } from '../../src/training/train-step.ts';
import { readBack } from '../../src/ops/index.ts';
import { key32 } from '../../src/ops/random.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadModelTokenizer } from '../../src/text/bpe/files.ts';
import type { Config } from './config.ts';

/** A text as input for the model. */
interface Example {
  readonly input_ids: readonly number[];
  readonly label: number;
}

export default defineStage<Config>({
  description: 'Fine-tune a model to classify texts and evaluate it on held-out texts.',
  inputs: { model: { contract: 'model', description: 'pretrained model with its tokenizer' } },
  outputs: {
    model: { contract: 'model', description: 'RobertaForSequenceClassification' },
    metrics: {
      contract: 'metrics',
      description: 'the metrics as a table: `accuracy`, `f1` and others on the held-out texts',
      optional: true,
    },
  },

  async run(context) {
    const { config } = context;
    await openBackend(context.backend, config.precision);
    const folder = context.folder('model')?.path ?? '';
    const [train, held] = [await readTexts(context, 'train'), await readTexts(context, 'eval')];
    const names = train.map(({ label }) => label);
    if (new Set(names).size < 2)
      fail(
        'one-class',
        `All ${train.length} training texts have the label ${JSON.stringify(names[0])}.`,
        'A classifier needs at least two labels; check label_column.',
      );

    const loaded = readModel(folder);
    const classes = decideClasses(names, loaded.labels);
    context.log(classes.note);
    const { specs, values, config: architecture, head } = withClassifier(loaded, classes, config);
    const encodeAll = exampleEncoder(folder, classes, Math.min(config.max_length ?? Infinity, maxTokens(architecture)));
    const [trainSet, evalSet] = [encodeAll(train, 'train'), encodeAll(held, 'eval')];
    const parameters = createParameters(specs, values);
    const model: Roberta = { config: architecture, parameters };

    await trainClassifier(context, model, trainSet);
    const guesses = classify(model, evalSet, config.batch_size);
    const metrics = classificationMetrics(
      guesses,
      evalSet.map(({ label }) => label),
      classes.labels.length,
    );
    await reportMetrics(context, { ...metrics });
    context.log(
      `accuracy ${metrics.accuracy.toFixed(3)} on ${evalSet.length} texts; always guessing the most common label ` +
        `gives ${metrics.majority.toFixed(3)}`,
    );
    writeModel(
      context.outputFolder('model').path,
      { config: architecture, head, labels: classes.labels, values: readParameters(parameters) },
      folder,
    );
    disposeParameters(parameters);
  },
});

async function readTexts(context: StageContext<Config>, property: 'train' | 'eval'): Promise<LabelledText[]> {
  const { text_column: text, text_pair_column: pair, label_column: label } = context.config;
  const texts: LabelledText[] = [];
  for (const source of context.sources(property)) {
    const file = await openStageSource(source, context, '');
    try {
      texts.push(...parseLabelledTexts(source.name, await buffer(file.read()), { text, pair, label }));
    } catch (error) {
      if (error instanceof Failure) await file.discard();
      throw error;
    }
  }
  if (texts.length === 0) fail('missing-source', `No file matches ${property}.`, 'Check the path or glob.');
  return texts;
}

/** The encoder's weights with a new head, or with the model's own head when it has these classes. */
function withClassifier(
  loaded: LoadedModel,
  { labels, areTheModels }: Classes,
  { hidden_dropout_prob, attention_probs_dropout_prob, seed }: Config,
) {
  const config: RobertaConfig = { ...loaded.config, hidden_dropout_prob, attention_probs_dropout_prob };
  const head: Head = { kind: 'classification', labels: labels.length };
  const specs = parameterSpecs(config, head);
  const values = initialValues(specs, config, seed);
  for (const { name } of specs) {
    const known = loaded.values.get(name);
    if (known !== undefined && (areTheModels || !name.startsWith('classifier.'))) values.set(name, known);
  }
  return { specs, values, config, head };
}

function exampleEncoder(
  folder: string,
  classes: Classes,
  maxLength: number,
): (texts: readonly LabelledText[], property: string) => Example[] {
  const tokenizer = new Tokenizer(loadModelTokenizer(folder));
  const { bos, eos } = tokenizer.model.special;
  return (texts, property) =>
    texts.map(({ text, pair, label }) => {
      const first = [...tokenizer.encode(text)];
      const second = pair === undefined ? [] : [...tokenizer.encode(pair)];
      const room = maxLength - (pair === undefined ? 2 : 4);
      while (first.length + second.length > room) (first.length >= second.length ? first : second).pop();
      const input_ids = pair === undefined ? [bos, ...first, eos] : [bos, ...first, eos, eos, ...second, eos];
      const id =
        classes.idOf(label) ??
        fail(
          'unknown-label',
          `The label ${JSON.stringify(label)} of ${property} does not occur in train.`,
          `Labels there: ${classes.labels.slice(0, 10).join(', ')}.`,
        );
      return { input_ids, label: id };
    });
}

async function trainClassifier(
  context: StageContext<Config>,
  model: Roberta,
  examples: readonly Example[],
): Promise<void> {
  const { config } = context;
  const optimizer = new Optimizer(model.parameters, config);
  const stepsPerEpoch = Math.ceil(examples.length / config.batch_size);
  const steps = stepsPerEpoch * config.epochs;
  let bad = 0;
  for (let step = 0; step < steps; step++) {
    const drawn = samplesOf(step, config.batch_size, examples.length, config.seed).map(
      ({ index }) => examples[index] as Example,
    );
    const batch = padded(drawn.map(({ input_ids }) => input_ids));
    const labels = Int32Array.from(drawn, ({ label }) => label);
    const key = key32('fine-tune', config.seed, step);
    const result = trainStep(
      optimizer,
      [() => loss(classificationLogits(model, encode(model, batch, key), batch, key), labels, labels.length)],
      learningRate(step, config.learning_rate, Math.round(config.warmup_ratio * steps), steps),
    );
    if (result.skipped && ++bad > config.max_bad_steps)
      fail(
        'training-diverged',
        `${bad} of ${step + 1} steps had a non-finite loss or gradient.`,
        'Reduce learning_rate or use a longer warm-up.',
      );
    context.progress(
      step + 1,
      steps,
      'steps',
      `epoch ${Math.floor(step / stepsPerEpoch) + 1}/${config.epochs} loss ${result.loss.toFixed(3)}`,
    );
    await nextTurn();
    context.signal.throwIfAborted();
  }
  optimizer.dispose();
}

function classify(model: Roberta, examples: readonly Example[], batchSize: number): number[] {
  const guesses: number[] = [];
  for (let at = 0; at < examples.length; at += batchSize) {
    const batch = padded(examples.slice(at, at + batchSize).map(({ input_ids }) => input_ids));
    const [best] = readBack(() => [
      argMax(classificationLogits(model, encode(model, batch, undefined), batch, undefined), 1),
    ]);
    guesses.push(...best);
  }
  return guesses;
}
