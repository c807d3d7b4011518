"""Folders as transformers writes them (`write FOLDER TEXTS...`).

And whether two folders are one model (`compare`, pairs on stdin).
"""

import json
import sys

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import (
    AutoModel,
    AutoModelForMaskedLM,
    AutoTokenizer,
    CamembertConfig,
    CamembertForMaskedLM,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForQuestionAnswering,
    RobertaModel,
    RobertaTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaForMaskedLM,
)

shape = dict(
    hidden_size=32,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=64,
    max_position_embeddings=66,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
    initializer_range=0.1,
)


def byte_level(texts, size):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    return RobertaTokenizerFast(tokenizer_object=tokenizer)


def unigram(texts):
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.train_from_iterator(
        texts,
        trainers.UnigramTrainer(
            vocab_size=300,
            special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
            unk_token="<unk>",
            show_progress=False,
        ),
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
    )


def write(folder, paths):
    texts = [open(path, encoding="utf-8").read() for path in paths]
    torch.manual_seed(5)
    bytes_, pieces = byte_level(texts, 500), unigram(texts)
    # A vocabulary padded to a multiple of 64, half precision, several files: what is met on the hub.
    models_ = {
        "hub": (RobertaForMaskedLM(RobertaConfig(vocab_size=512, **shape)).half(), bytes_, "60KB"),
        "xlm-roberta": (XLMRobertaForMaskedLM(XLMRobertaConfig(vocab_size=300, **shape)), pieces, "1GB"),
        "camembert": (
            CamembertForMaskedLM(CamembertConfig(vocab_size=300, bos_token_id=5, eos_token_id=6, **shape)).bfloat16(),
            pieces,
            "1GB",
        ),
        "bare": (RobertaModel(RobertaConfig(vocab_size=500, **shape)), bytes_, "50KB"),
        "questions": (RobertaForQuestionAnswering(RobertaConfig(vocab_size=500, **shape)), bytes_, "1GB"),
        "two-types": (
            RobertaForMaskedLM(RobertaConfig(vocab_size=500, **{**shape, "type_vocab_size": 2})),
            bytes_,
            "1GB",
        ),
    }
    for name, (model, tokenizer, size) in models_.items():
        model.save_pretrained(f"{folder}/{name}", max_shard_size=size)
        tokenizer.save_pretrained(f"{folder}/{name}")


def outputs(folder):
    cls = AutoModel if folder.endswith(("bare", "questions")) else AutoModelForMaskedLM
    model = cls.from_pretrained(folder, dtype=torch.float32).eval()
    generator = torch.Generator().manual_seed(1)
    ids = torch.randint(5, 300, (3, 40), generator=generator)
    ids[1, 20:] = 1
    with torch.no_grad():
        return model(input_ids=ids, attention_mask=(ids != 1).long())[0][ids != 1]


def compare(pairs):
    text = "Die Frau lost her <mask>.\n  Naïve 12th-century? 中文</s>"
    answers = []
    for theirs, ours in pairs:
        with_text = [AutoTokenizer.from_pretrained(folder)(text)["input_ids"] for folder in (theirs, ours)]
        answers.append(
            {
                "difference": (outputs(theirs) - outputs(ours)).abs().max().item(),
                "same_ids": with_text[0] == with_text[1],
            }
        )
    return answers


if sys.argv[1] == "write":
    write(sys.argv[2], sys.argv[3:])
else:
    json.dump(compare(json.load(sys.stdin)), sys.stdout)
