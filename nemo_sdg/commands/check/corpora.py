"""Laws of the files for trainers: packed corpora hold exactly the curated samples, and the blend names them."""

import contextlib
import hashlib
import math
import struct
from array import array
from collections import defaultdict
from pathlib import Path
from typing import Any

from nemo_sdg.commands.check.findings import CheckedRun, Ids, Verdict
from nemo_sdg.errors import DataError
from nemo_sdg.export.packing.indexed_dataset import DTYPES, HEADER_BYTES, MAGIC
from nemo_sdg.records import content_id
from nemo_sdg.storage import read_json

ENCODED_TOKENS = 50_000_000
"""tokens up to which every document is tokenised again; in a larger corpus, documents spread evenly over it are"""
SUM_SLACK = 1e-6


def packed_is_complete(run: CheckedRun, verdict: Verdict) -> None:
    """Every curated sample is packed once per variant, or counted as left out; the texts are those of the samples, the
    tokens those of the texts.
    """
    import numpy as np
    import pyarrow.parquet as parquet

    if "packed" not in run.ledgers:
        verdict.violations.append("nothing is packed")
        return
    variants: list[str] = run.ledgers["packed"].configuration["export.variants"]
    texts = CuratedTexts(run, variants)
    tokens = Tokens(run, verdict)
    packed = {variant: Ids() for variant in variants}
    order: dict[str, Any] = {variant: hashlib.blake2b() for variant in variants}
    seeds: dict[str, set[str]] = defaultdict(set)
    num_left_out = 0
    for name, receipt in sorted(run.receipts.items()):
        if not name.startswith("packed/receipts/"):
            continue
        num_left_out += sum(sum(row["dropped"].values()) for row in receipt["counts"].values())
        for output in sorted(receipt["outputs"]):
            if not output.endswith(".docs.parquet"):
                continue
            prefix, variant = output.removesuffix(".docs.parquet"), Path(output).parts[1]
            docs = parquet.read_table(run.dir / output)
            held = parquet.read_table(run.dir / f"{prefix}.text.parquet", columns=["uuid", "text"])
            sample_ids = docs["sample_id"].to_pylist()
            members = documents_of(docs["document"].to_pylist(), sample_ids)
            if [_uuid(names) for names in members] != held["uuid"].to_pylist():
                verdict.violations.append(f"{prefix}: .docs.parquet and .text.parquet hold other samples")
                continue
            odd = texts.foreign(variant, members, held["text"].to_pylist())
            verdict.violations += [f"{prefix}: the text of {name} is not that of the curated sample" for name in odd]
            sizes = dict(zip(docs["document"].to_pylist(), docs["num_tokens"].to_pylist(), strict=True))
            tokens.compare(prefix, list(sizes.values()), held["text"].to_pylist())
            packed[variant].add(sample_ids)
            order[variant].update("".join(sample_ids).encode())
            for ids in docs["seed_ids"].to_pylist():
                seeds[Path(output).parts[3]].update(ids)
    for variant, ids in packed.items():
        if ids.num_twins() or not np.isin(ids.sorted, texts.ids, assume_unique=False).all():
            verdict.violations.append(f"packed/{variant} holds a sample twice, or one that is not curated")
        if ids.num + num_left_out != len(texts.ids):
            verdict.violations.append(
                f"packed/{variant} holds {ids.num} samples and leaves out {num_left_out}, curated are {len(texts.ids)}"
            )
    if len({digest.hexdigest() for digest in order.values()}) > 1:
        verdict.violations.append("the variants do not hold the same samples in the same order")
    if both := seeds["train"] & seeds["valid"]:
        verdict.violations.append(f"samples of seed {min(both)} stand in train and in valid")
    verdict.detail = f"{tokens.num:,} tokens in {len(packed)} variants, {tokens.encoded:,} of them tokenised again"


def documents_of(documents: list[int], sample_ids: list[str]) -> list[list[str]]:
    """The samples of each document, in order; rows of one document stand together, numbered from 0."""
    members: list[list[str]] = []
    for document, sample_id in zip(documents, sample_ids, strict=True):
        if document == len(members):
            members.append([])
        if document != len(members) - 1:
            return []
        members[-1].append(sample_id)
    return members


def _uuid(names: list[str]) -> str:
    return names[0] if len(names) == 1 else content_id(*names)


class CuratedTexts:
    """What the text of each curated sample is in each variant, as 8-byte hashes and lengths."""

    def __init__(self, run: CheckedRun, variants: list[str]) -> None:
        import numpy as np

        from nemo_sdg.export.documents import render_texts

        ids, hashes = array("Q"), {variant: array("Q") for variant in variants}
        lengths = {variant: array("Q") for variant in variants}
        for shard in run.shards("curated"):
            for sample in run.kept("curated", shard):
                ids.append(int(sample["sample_id"][:16], 16))
                for variant, text in zip(variants, render_texts(sample, variants), strict=True):
                    hashes[variant].append(_hash(text))
                    lengths[variant].append(len(text))
        found = np.frombuffer(ids, dtype=np.uint64) if ids else np.empty(0, dtype=np.uint64)
        order = np.argsort(found, kind="stable")
        self.ids = found[order]
        self._hashes = {name: np.array(column, dtype=np.uint64)[order] for name, column in hashes.items()}
        self._lengths = {name: np.array(column, dtype=np.uint64)[order] for name, column in lengths.items()}

    def foreign(self, variant: str, members: list[list[str]], texts: list[str]) -> list[str]:
        """The ids whose text is another one than the curated sample's; siblings stand apart by SIBLINGS_APART."""
        import numpy as np

        from nemo_sdg.export.documents import SIBLINGS_APART

        keys = np.array([int(name[:16], 16) for names in members for name in names], dtype=np.uint64)
        places = iter(np.minimum(np.searchsorted(self.ids, keys), max(len(self.ids) - 1, 0)).tolist())
        odd = []
        for names, text in zip(members, texts, strict=True):
            rest = text
            for number, sample_id in enumerate(names):
                place = next(places)
                known = len(self.ids) > 0 and int(self.ids[place]) == int(sample_id[:16], 16)
                length = int(self._lengths[variant][place]) if known else len(rest)
                own, rest = rest[:length], rest[length:]
                apart = SIBLINGS_APART if number < len(names) - 1 else ""
                if not known or int(self._hashes[variant][place]) != _hash(own) or not rest.startswith(apart):
                    odd.append(sample_id)
                rest = rest[len(apart) :]
            if rest and names[-1] not in odd:
                odd.append(names[-1])
        return odd


class Tokens:
    """Compares .idx and .bin with the texts that they were made from."""

    def __init__(self, run: CheckedRun, verdict: Verdict) -> None:
        self.run, self.verdict = run, verdict
        self.tokenizer = run.tokenizer()
        self.num = self.encoded = 0

    def compare(self, prefix: str, num_tokens: list[int], texts: list[str]) -> None:
        import numpy as np

        try:
            lengths, dtype = read_index(self.run.dir / f"{prefix}_text_document.idx")
        except DataError as exc:
            self.verdict.violations.append(str(exc))
            return
        if lengths != num_tokens:
            self.verdict.violations.append(f"{prefix}: .idx and .docs.parquet disagree on the lengths of documents")
            return
        tokens = np.fromfile(self.run.dir / f"{prefix}_text_document.bin", dtype=dtype)
        if len(tokens) != sum(lengths):
            self.verdict.violations.append(f"{prefix}: .bin has {len(tokens)} tokens, .idx says {sum(lengths)}")
            return
        ends = np.cumsum(lengths)
        self._find_control(prefix, tokens, ends - np.array(lengths), ends)
        stride = 1 + (self.num + len(tokens)) // ENCODED_TOKENS
        chosen = range(0, len(texts), stride)
        wanted = self.tokenizer.encode([texts[place] for place in chosen])
        for place, ids in zip(chosen, wanted, strict=True):
            found = tokens[ends[place] - lengths[place] : ends[place]].tolist()
            if found != self.tokenizer.as_document(ids):
                self.verdict.violations.append(f"{prefix}: the tokens of document {place} are not those of its text")
                break
            self.encoded += len(found)
        self.num += len(tokens)

    def _find_control(self, prefix: str, tokens: Any, begins: Any, ends: Any) -> None:
        """A control id stands at the ends of documents alone."""
        import numpy as np

        control = np.isin(tokens, np.array(sorted(self.tokenizer.control)))
        control[ends - 1] = False
        if self.tokenizer.bos is not None:
            control[begins] = False
        if control.any():
            place = int(np.argmax(control))
            document = int(np.searchsorted(ends, place, side="right"))
            self.verdict.violations.append(
                f"{prefix}: document {document} holds the control id {int(tokens[place])} inside its text"
            )


def read_index(path: Path) -> tuple[list[int], str]:
    """Document lengths and the tokens' type from a Megatron .idx, read by its published layout."""
    data = path.read_bytes()
    if data[:9] != MAGIC or len(data) < HEADER_BYTES:
        raise DataError(f"{path} is not a Megatron index")
    (num_sequences,) = struct.unpack_from("<Q", data, 18)
    if len(data) < HEADER_BYTES + 4 * num_sequences or data[17] not in DTYPES:
        raise DataError(f"{path} is cut off")
    return list(struct.unpack_from(f"<{num_sequences}i", data, HEADER_BYTES)), DTYPES[data[17]]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


def blend_names_the_corpora(run: CheckedRun, verdict: Verdict) -> None:
    """Every prefix of the blend is there, in this run or where its absolute path says; weights are positive, sum to 1,
    and are those that the planned epochs ask for; every packed shard of the train split has a weight; NeMo and
    Megatron-LM are given the same.
    """
    if "blend" not in run.ledgers:
        verdict.violations.append("there is no blend")
        return
    mixture = read_json(run.dir / "blend" / "mixture.json")
    num = 0
    for variant, plan in mixture["variants"].items():
        path = run.dir / "blend" / f"{variant}.blend.json"
        blend = read_json(path)
        for split in ("train", "valid"):
            own = [row["prefix"] for row in plan[split]]
            flat = blend[split] or []
            weights, prefixes = [float(weight) for weight in flat[::2]], flat[1::2]
            if flat and (min(weights) <= 0 or abs(sum(weights) - 1) > SUM_SLACK):
                verdict.violations.append(f"{path.name}: the weights of {split} are not positive or do not sum to 1")
            theirs = [prefix for prefix in prefixes if not any(str(prefix).endswith(f"/{name}") for name in own)]
            base = {row["prefix"] for row in mixture["base"][split]}
            verdict.violations += [
                f"{path.name} names {name}, which is not planned" for name in theirs if name not in base
            ]
            verdict.violations += [
                f"{path.name} leaves out {name}"
                for name in own
                if not any(str(prefix).endswith(f"/{name}") for prefix in prefixes)
            ]
            share = plan["synthetic_share"] if base else 1.0
            given = {name: row["weight"] * share for name, row in zip(own, plan[split], strict=True)}
            for weight, prefix in zip(weights, prefixes, strict=True):
                name = "/".join(Path(prefix).parts[-5:])
                if name in given and not math.isclose(weight, given[name], rel_tol=SUM_SLACK):
                    verdict.violations.append(f"{path.name} weighs {name} by {weight:g}, planned is {given[name]:g}")
            for place in [*(run.dir / name for name in own), *map(Path, base)]:
                num += 1
                if not Path(f"{place}.bin").is_file() or not Path(f"{place}.idx").is_file():
                    verdict.violations.append(f"{path.name} names {place}, which is not there")
        _weights_are_planned(run, variant, plan, verdict)
        train, valid = blend["train"], blend["valid"] or blend["train"]
        if read_json(run.dir / "blend" / f"{variant}.nemo.json") != {
            "train": train,
            "validation": valid,
            "test": valid,
        }:
            verdict.violations.append(f"{variant}.nemo.json is not what {path.name} says")
        arguments = run.dir / "blend" / f"{variant}.data_args.txt"
        if arguments.is_file() and arguments.read_text().split() != train:
            verdict.violations.append(f"{arguments.name} is not what {path.name} says")
        packed = {
            name.removesuffix(".bin")
            for receipt in run.receipts.values()
            for name in receipt["outputs"]
            if name.startswith(f"packed/{variant}/") and "/train/" in name and name.endswith("_text_document.bin")
        }
        missing = sorted(packed - {row["prefix"] for row in plan["train"]})
        verdict.violations += [f"mixture.json has no weight for {name}" for name in missing]
    with contextlib.suppress(ValueError, OSError):
        first = (read_json(run.dir / "blend" / f"{next(iter(mixture['variants']))}.blend.json")["train"] or ["", ""])[1]
        if not str(first).startswith(str(run.dir.resolve())):
            verdict.detail = f"{num} prefixes; the files name them by another folder: `nemo-sdg run` writes them again"
            return
    verdict.detail = f"{num} prefixes"


def _weights_are_planned(run: CheckedRun, variant: str, plan: dict[str, Any], verdict: Verdict) -> None:
    """The train weights of mixture.json are epochs times tokens, counted again from the receipts."""
    drawn: dict[str, float] = {}
    for name, receipt in run.receipts.items():
        if name.startswith("packed/receipts/") and receipt["split"] == "train" and variant in receipt["variants"]:
            task = plan["families"][receipt["family"]]["tasks"][receipt["task"]]
            epochs = task["bands"].get(receipt.get("band"), task["epochs"])
            (prefix,) = (
                output.removesuffix(".bin")
                for output in receipt["outputs"]
                if output.startswith(f"packed/{variant}/") and output.endswith("_text_document.bin")
            )
            drawn[prefix] = epochs * receipt["variants"][variant]["tokens"]
    total = math.fsum(drawn.values())
    for row in plan["train"]:
        wanted = drawn.get(row["prefix"], 0.0) / total
        if not math.isclose(row["weight"], wanted, rel_tol=SUM_SLACK):
            verdict.violations.append(
                f"mixture.json weighs {row['prefix']} by {row['weight']:g}, its epochs ask for {wanted:g}"
            )
