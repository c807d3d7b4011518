"""Prints, as JSON, what AutoTokenizer makes of texts with each folder; reads one JSON object {folders, texts, specials}."""
import json
import sys

from transformers import AutoTokenizer

request = json.load(sys.stdin)
texts = request["texts"]


def answer(folder):
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:200]}
    plain = [tokenizer(text, add_special_tokens=False)["input_ids"] for text in texts + request["specials"]]
    return {"size": max(tokenizer.get_vocab().values()) + 1, "ids": plain[:len(texts)], "specials": plain[len(texts):],
            "single": tokenizer(texts[0])["input_ids"], "pair": tokenizer(texts[0], texts[1])["input_ids"]}


json.dump([answer(folder) for folder in request["folders"]], sys.stdout)
