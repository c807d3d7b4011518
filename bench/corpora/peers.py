"""The peers of tokens.ts: does one job on one core and prints its rate. Usage: peers.py JOB FOLDER TRAIN_MB"""
import json
import os
import sys
import time

job, folder, train_mb = sys.argv[1], sys.argv[2], float(sys.argv[3])
documents = json.load(open(os.path.join(folder, "documents.json")))
megabytes = sum(len(text.encode()) for text in documents) / 1e6


def rate(amount, work):
    start = time.process_time()
    work()
    print(amount / (time.process_time() - start))


if job == "mask":
    # fairseq's rule (exact count, 80/10/10) with numpy, sequence by sequence as its dataset does
    import numpy as np

    sequences = [np.random.RandomState(n).randint(4, 7000, 512) for n in range(8000)]

    def work():
        for index, ids in enumerate(sequences):
            rng = np.random.default_rng((1, 0, index))
            chosen = rng.choice(510, int(0.15 * 510 + rng.random()), replace=False) + 1
            masked, kind = ids.copy(), rng.random(len(chosen))
            masked[chosen[kind < 0.8]] = 7999
            random = chosen[(kind >= 0.8) & (kind < 0.9)]
            masked[random] = rng.integers(4, 7999, len(random))

    rate(8000 * 512 / 1e6, work)
elif job == "dedup":
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature
    from datatrove.utils.hashing import HashConfig

    signer = MinhashDedupSignature(folder, config=MinhashConfig(hash_config=HashConfig(hash_fc="sha1")))  # its other one, xxhash, fails with xxhash 4
    signer.get_signature(signer.get_shingles(documents[0]))
    rate(megabytes, lambda: [signer.get_signature(signer.get_shingles(text)) for text in documents])
elif job == "encode":
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    rate(megabytes, lambda: [tokenizer.encode(text, add_special_tokens=False).ids for text in documents])
elif job == "tiktoken":
    import tiktoken

    model = json.load(open(os.path.join(folder, "tokenizer.json")))["model"]["vocab"]
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    byte_of = {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(b for b in range(256) if b not in printable)}
    learned = [token for token, _ in sorted(model.items(), key=lambda item: item[1]) if not token.startswith("<")]
    ranks = {bytes(byte_of[char] for char in token): rank for rank, token in enumerate(learned)}
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
    encoding = tiktoken.Encoding("bench", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    rate(megabytes, lambda: [encoding.encode_ordinary(text) for text in documents])
elif job == "train":
    from tokenizers import ByteLevelBPETokenizer

    times = -(-train_mb // megabytes)
    tokenizer = ByteLevelBPETokenizer()
    texts = (text for _ in range(int(times)) for text in documents)
    rate(times * megabytes, lambda: tokenizer.train_from_iterator(texts, vocab_size=30_000, min_frequency=2, show_progress=False))
elif job == "clean":
    from datatrove.data import Document
    from datatrove.pipeline.filters import C4QualityFilter, FineWebQualityFilter, GopherQualityFilter, GopherRepetitionFilter

    filters = [GopherRepetitionFilter(), GopherQualityFilter(), C4QualityFilter(filter_no_terminal_punct=False), FineWebQualityFilter()]
    for judge in filters:
        judge.filter(Document(text=documents[0], id=""))
    rate(megabytes, lambda: [judge.filter(Document(text=text, id="")) for text in documents for judge in filters])
