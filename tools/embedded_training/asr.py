"""Speech recognition: small Wav2Vec2-BERT models, trained on synthesised speech."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    SeamlessM4TFeatureExtractor,
    Wav2Vec2BertConfig,
    Wav2Vec2BertForCTC,
    Wav2Vec2CTCTokenizer,
)

from bench.task import Output
from bench.workloads import embedded
from bench.workloads.metrics import word_error_rate
from tools.embedded_training import common, evaluation, near_duplicates, sources
from tools.embedded_training.spoken_sentences import sentence

RATE = 16_000

# Voices of Flite; the last one is heard in held-out clips only.
VOICES = ("slt", "awb", "kal16")
UNHEARD_VOICE = "rms"
CLIPS_PER_VOICE = {"slt": 8, "awb": 8, "kal16": 9, "rms": 25}

# Clips keep 10 of 16 bits: FLAC then takes less than half, and the noise is 60 dB below full scale.
KEPT_BITS = 10

TRAINING_SENTENCES = 1600
TEMPO = (0.85, 1.25)
SPEED = (0.86, 1.16)

WIDTHS = {"tiny": (28, 3), "small": (46, 4)}
HEADS = 2
STEPS = {"tiny": 2000, "small": 1800}
LEARNING_RATE = {"tiny": 4e-3, "small": 3e-3}
BATCH = 16
LETTERS = "'abcdefghijklmnopqrstuvwxyz"


def synthesise(raw: Path, text: str, voice: str, tempo: float = 1.0) -> np.ndarray:
    """The sound of a text at 16 kHz; a tempo above 1 is slower."""
    import soundfile

    program, libraries = sources.flite(raw)
    with tempfile.NamedTemporaryFile(suffix=".wav") as file:
        subprocess.run(
            [
                program,
                "-voice",
                voice,
                "--setf",
                f"duration_stretch={tempo}",
                "-t",
                text,
                "-o",
                file.name,
            ],
            check=True,
            env={**os.environ, "LD_LIBRARY_PATH": str(libraries)},
        )
        samples, rate = soundfile.read(file.name, dtype="float32")
    if rate != RATE:
        raise ValueError(f"voice {voice} speaks at {rate} Hz instead of {RATE} Hz")
    return np.asarray(samples)


def recordings(raw: Path) -> list[tuple[str, Path, str]]:
    """(name, file, words) of every recording: five of LibriVox and five of playing cards."""
    found = []
    data = sources.sphinx_folder(raw)
    for folder, list_file in (("librivox", "transcription"), ("cards", "cards.transcription")):
        for line in (data / folder / list_file).read_text(encoding="utf-8").splitlines():
            said, _, name = line.strip().rstrip(")").rpartition("(")
            text = " ".join(said.replace("<s>", " ").replace("</s>", " ").split())
            short = name.removeprefix("sense_and_sensibility_01_austen_64kb-")
            found.append((f"{folder}-{short}", data / folder / f"{name}.wav", text))
    return found


def held_out_sentences() -> list[tuple[str, str]]:
    """(voice, sentence) of every synthesised clip that ships; each sentence once."""
    rng = random.Random(common.SEED)
    texts: dict[str, None] = {}
    while len(texts) < sum(CLIPS_PER_VOICE.values()):
        texts[sentence(rng)] = None
    voices = [voice for voice, count in CLIPS_PER_VOICE.items() for _ in range(count)]
    return list(zip(voices, texts, strict=True))


def training_sentences(held_out: list[str]) -> list[str]:
    """Different sentences, none of which is a near-duplicate of a held-out one."""
    rng = random.Random(common.SEED + 1)
    texts: dict[str, None] = {}
    while len(texts) < TRAINING_SENTENCES:
        some = {sentence(rng): None for _ in range(TRAINING_SENTENCES)}
        kept = near_duplicates.without_near_duplicates(list(some), held_out, str)
        texts.update(dict.fromkeys(kept))
    return list(texts)[:TRAINING_SENTENCES]


def write_data(raw: Path) -> None:
    """Write every clip as 16-bit FLAC at 16 kHz, and the rows with transcriptions."""
    import soundfile
    import soxr

    folder = embedded.FOLDER / "data" / "asr"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, (voice, text) in enumerate(held_out_sentences()):
        samples = np.round(synthesise(raw, text, voice) * 2 ** (KEPT_BITS - 1))
        name = f"synthetic-{voice}-{number:02}"
        samples /= 2 ** (KEPT_BITS - 1)
        soundfile.write(folder / f"{name}.flac", samples, RATE, subtype="PCM_16")
        rows.append({"audio": f"asr/{name}.flac", "text": text})
    for name, file, text in recordings(raw):
        samples, rate = soundfile.read(file, dtype="float32")
        if rate != RATE:
            samples = soxr.resample(samples, rate, RATE)
        soundfile.write(folder / f"{name}.flac", samples, RATE, subtype="PCM_16")
        rows.append({"audio": f"asr/{name}.flac", "text": text})
    common.write_rows("asr", rows)


def training_features(raw: Path, texts: list[str]) -> list[torch.Tensor]:
    """Features (frames × 160) of one sound for each sentence, kept in `raw` for the other size.

    Voice, tempo and playback speed of each sound are random.
    """
    import soxr

    key = hashlib.sha256(repr((VOICES, TEMPO, SPEED, texts)).encode()).hexdigest()[:16]
    file = raw / f"flite-features-{key}.pt"
    if file.is_file():
        return list(torch.load(file))
    extractor = SeamlessM4TFeatureExtractor()
    rng = random.Random(common.SEED + 2)
    features = []
    for text in texts:
        voice, tempo, speed = rng.choice(VOICES), rng.uniform(*TEMPO), rng.uniform(*SPEED)
        sound = soxr.resample(synthesise(raw, text, voice, tempo), RATE * speed, RATE)
        found = extractor(sound, sampling_rate=RATE, return_tensors="np")["input_features"][0]
        features.append(torch.from_numpy(found).half())
    torch.save(features, file)
    return features


def make_tokenizer(folder: Path) -> Wav2Vec2CTCTokenizer:
    """One token for each letter, with "|" between words; "<pad>" is the blank of CTC."""
    tokens = ["<pad>", "<unk>", "|", *LETTERS]
    file = folder / "vocab.json"
    folder.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({token: place for place, token in enumerate(tokens)}))
    return Wav2Vec2CTCTokenizer(str(file), bos_token=None, eos_token=None)


def make_model(size: str, tokens: int) -> Any:
    width, layers = WIDTHS[size]
    return Wav2Vec2BertForCTC(
        Wav2Vec2BertConfig(
            vocab_size=tokens,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=HEADS,
            intermediate_size=2 * width,
            output_hidden_size=width,
            conv_depthwise_kernel_size=15,
            hidden_dropout=0.0,
            attention_dropout=0.0,
            activation_dropout=0.0,
            final_dropout=0.0,
            conformer_conv_dropout=0.0,
            layerdrop=0.0,
            mask_time_prob=0.05,
            mask_time_length=5,
            ctc_loss_reduction="mean",
            ctc_zero_infinity=True,
            pad_token_id=0,
            bos_token_id=None,
            eos_token_id=None,
            initializer_range=0.1,
        )
    )


def learn(
    model: Any, size: str, steps: int, features: list[torch.Tensor], labels: list[torch.Tensor]
) -> None:
    """Train on batches of sounds of similar length; the final weights are their moving average."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE[size], weight_decay=0.01)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    rng = random.Random(common.SEED)
    by_length = sorted(range(len(features)), key=lambda place: len(features[place]))
    starts = range(0, len(by_length) - BATCH + 1, BATCH)
    model.train()
    for step in range(steps):
        start = rng.choice(starts)
        places = by_length[start : start + BATCH]
        sounds = [features[place].float() for place in places]
        lengths = torch.tensor([len(sound) for sound in sounds])
        inputs = torch.nn.utils.rnn.pad_sequence(sounds, batch_first=True)
        answers = torch.nn.utils.rnn.pad_sequence(
            [labels[place] for place in places], batch_first=True, padding_value=-100
        )
        mask = (torch.arange(inputs.shape[1]) < lengths[:, None]).long()
        loss = model(input_features=inputs, attention_mask=mask, labels=answers).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(f"asr {size} step {step}/{steps} {loss.item():.3f}", flush=True)
    average.apply()
    model.eval()


def best_constant_transcript(texts: list[str]) -> str:
    """The baseline: the text of one frequent word, or of none, with the least word error rate."""
    frequent = Counter(word for text in texts for word in text.split()).most_common(20)
    return min(
        ["", *(word for word, _ in frequent)],
        key=lambda guess: word_error_rate.value([(text, guess) for text in texts]),
    )


def train(job: common.Job) -> None:
    """Write data, model, tokenizer, feature extractor, word error rate and card of one size."""
    common.set_seeds()
    write_data(job.raw)
    held_out = [text for _, text in held_out_sentences()]
    texts = training_sentences(held_out)
    features = training_features(job.raw, texts)
    folder = embedded.FOLDER / "models" / "asr" / job.size
    tokenizer = make_tokenizer(folder)
    labels = [torch.tensor(tokenizer(text).input_ids) for text in texts]
    model = make_model(job.size, len(tokenizer))
    count = common.parameter_count([model])
    print(f"{job.size}: {count:,} parameters", flush=True)
    steps = job.steps(STEPS[job.size])
    learn(model, job.size, steps, features, labels)
    minutes, processor_minutes = job.minutes(), job.processor_minutes()
    common.save_half(model, folder)
    tokenizer.save_pretrained(folder)
    SeamlessM4TFeatureExtractor().save_pretrained(folder)
    common.make_shippable(folder)
    answers = evaluation.serve("asr", job.size)
    found = evaluation.evaluate("asr", answers)
    guess = best_constant_transcript(texts)
    baseline = evaluation.metric_value("asr", evaluation.constant(answers, Output(text=guess)))
    known = sum(CLIPS_PER_VOICE[voice] for voice in VOICES)
    groups = {
        "shipped synthetic clips of the three training voices, other sentences": answers[:known],
        f"shipped synthetic clips of another voice, {UNHEARD_VOICE}, other sentences": (
            answers[known : len(held_out)]
        ),
        "shipped recordings of people, unlike its training": answers[len(held_out) :],
    }
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench speech recognition, {job.size}",
            description="A small Wav2Vec2-BERT with a CTC head that writes the letters of a spoken "
            "sentence. It learned about 100 words from synthesised speech.",
            parameters={"recogniser": count},
            data=f"{len(texts):,} sentences of a grammar, spoken by the voices {', '.join(VOICES)} "
            "of the synthesiser Flite 2.2 (Debian packages `flite` and `libflite1`) at random "
            "tempo and playback speed. Of the shipped clips, no sentence is a near-duplicate of a "
            f"training sentence, half are spoken by the voice {UNHEARD_VOICE}, which was not used "
            "in training, and ten are recordings of people.",
            data_licence="the sentences CC0-1.0; Flite and its voices: free use and distribution "
            "with the copyright notice (Carnegie Mellon University 1999-2001).",
            command=f"{common.COMMAND} asr --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} sentences, "
            f"{processor_minutes:.1f} minutes of processor time",
            quality={
                f"{found.metric} ({found.sample_count} shipped clips)": (
                    evaluation.with_interval(found)
                ),
                **{
                    f"{found.metric} ({len(some)} {name})": evaluation.with_interval(
                        evaluation.evaluate("asr", some)
                    )
                    for name, some in groups.items()
                },
            },
            headline=common.Quality(
                metric=found.metric,
                value=found.value,
                baseline_name=f'the best constant transcript, "{guess}"',
                baseline_value=baseline,
                sample_count=found.sample_count,
                held_out_near_duplicate_share=near_duplicates.near_duplicate_share(held_out, texts),
                higher_is_better=False,
            ),
            settings="The tokenizer and the feature extractor lie beside the weights.",
            quick=job.quick,
        ),
    )
