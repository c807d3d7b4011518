"""Hugging Face's input pipeline as a contestant: the same shards, memory-mapped by `datasets`, shuffled, and masked by
`DataCollatorForLanguageModeling` in one worker of a `DataLoader`. Prints one line of JSON.
"""
import argparse, json, logging, resource, time
import numpy as np
import pyarrow as pa
from datasets import Dataset
from datasets.table import InMemoryTable
from tokenizers import Tokenizer, models
from torch.utils.data import DataLoader
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerFast

parser = argparse.ArgumentParser()
parser.add_argument("--shards", nargs="+", required=True)
for name in ("vocab", "length", "batch", "steps"):
    parser.add_argument(f"--{name}", type=int, required=True)
options = parser.parse_args()
logging.disable(logging.WARNING)

words = ["<s>", "<pad>", "</s>", "<unk>"] + [f"t{i}" for i in range(4, options.vocab - 1)] + ["<mask>"]
tokenizer = PreTrainedTokenizerFast(
    tokenizer_object=Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="<unk>")),
    bos_token="<s>", pad_token="<pad>", eos_token="</s>", unk_token="<unk>", mask_token="<mask>")

start = time.perf_counter()
ids = pa.concat_tables(pa.ipc.open_file(pa.memory_map(path)).read_all().select(["input_ids"]) for path in options.shards)
# As `run_mlm.py` has it from its tokenizer; without it the collator finds special tokens one by one, in Python.
flags = np.tile(np.array([1] + [0] * (options.length - 2) + [1], np.int8), len(ids))
special = pa.ListArray.from_arrays(np.arange(len(ids) + 1, dtype=np.int32) * options.length, flags)
data = Dataset(InMemoryTable(ids.append_column("special_tokens_mask", special)))
loader = DataLoader(data, batch_size=options.batch, shuffle=True, num_workers=1, collate_fn=DataCollatorForLanguageModeling(tokenizer, mlm_probability=0.15))
opened, busy = time.perf_counter(), time.process_time()
steps = 0
while steps < options.steps:
    for batch in loader:
        assert batch["input_ids"].shape[1] == options.length
        steps += 1
        if steps == options.steps:
            break
seconds = time.perf_counter() - opened
del loader
own, worker = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "openMs": (opened - start) * 1e3, "seconds": seconds, "cpuSeconds": time.process_time() - busy + worker.ru_utime + worker.ru_stime,
    "peakMiB": max(own.ru_maxrss, worker.ru_maxrss) / 1024}))
