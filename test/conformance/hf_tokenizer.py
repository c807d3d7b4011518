"""Prints, as JSON, what Hugging Face makes of the texts on stdin: an object {folder, texts, learned, vocab_size}."""

import json
import sys

import tokenizers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

request = json.load(sys.stdin)
texts = request["texts"]
loaded = Tokenizer.from_file(request["folder"] + "/tokenizer.json")
plain = [e.ids for e in loaded.encode_batch(texts, add_special_tokens=False)]
with_special = loaded.encode("Hello <mask> world").ids

trained = Tokenizer(models.BPE())
trained.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
trainer = trainers.BpeTrainer(
    vocab_size=request["vocab_size"] - 1,
    min_frequency=2,
    show_progress=False,
    special_tokens=["<s>", "<pad>", "</s>", "<unk>"],
    initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
)
trained.train_from_iterator(request["learned"], trainer)
model = json.loads(trained.to_str())["model"]

fast = None
try:
    from transformers import RobertaTokenizerFast

    roberta = RobertaTokenizerFast.from_pretrained(request["folder"])
    fast = {
        "ids": roberta("Hello <mask> world")["input_ids"],
        "mask": roberta.mask_token_id,
        "pad": roberta.pad_token_id,
        "bos": roberta.bos_token_id,
        "eos": roberta.eos_token_id,
        "unk": roberta.unk_token_id,
        "size": len(roberta),
        "max": roberta.model_max_length,
        "plain": [roberta(t, add_special_tokens=False)["input_ids"] for t in texts[:3]],
    }
except ImportError:
    pass
json.dump(
    {
        "version": tokenizers.__version__,
        "plain": plain,
        "with_special": with_special,
        "vocab": model["vocab"],
        "merges": [m if isinstance(m, str) else " ".join(m) for m in model["merges"]],
        "fast": fast,
    },
    sys.stdout,
)
