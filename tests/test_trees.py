"""The text of a tree model: read, refused, merged and written back."""

from __future__ import annotations

import lightgbm
import numpy as np
import pytest
from forests import cases, model_of, random_forest, raw_score
from hypothesis import given, settings
from hypothesis import strategies as st

from model.forest import Forest
from model.trees import check, merge, parse, render
from tidu.errors import Refused


def grown(rng, seed: int, **params) -> lightgbm.Booster:
    values = rng.normal(size=(300, 5))
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:, 4] = np.nan_to_num(values[:, 4])
    target = (np.nan_to_num(values[:, 0]) + rng.normal(size=300) > 0.5).astype(float)
    settings = {"objective": "binary", "num_leaves": 6, "min_data_in_leaf": 5, "verbosity": -1}
    settings |= {"num_threads": 1, "seed": seed, "bagging_fraction": 0.7, "bagging_freq": 1}
    return lightgbm.train({**settings, **params}, lightgbm.Dataset(values, target), 12)


@pytest.fixture(scope="module")
def text() -> str:
    return merge([grown(np.random.default_rng(0), 1).model_to_string()])


@given(cases())
def test_lightgbm_agrees_with_the_oracle_on_every_forest(case) -> None:
    """The oracle is the ground of the other tests; hard values: NaN, inf, denormals, ties."""
    forest, rows = case
    found = model_of(forest).scores(rows)
    wanted = [raw_score(forest, row) for row in rows]
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@given(cases())
def test_a_canonical_text_reads_back_to_itself(case) -> None:
    text = render(case[0])
    check(text)
    assert merge([text]) == text
    again = parse(text)
    for name in Forest.__dataclass_fields__:
        assert np.all(getattr(again, name) == getattr(case[0], name)), name


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.booleans())
def test_a_merged_bag_scores_and_explains_as_the_mean_of_its_members(seed, members, extra) -> None:
    rng = np.random.default_rng(seed)
    bag = [grown(rng, i, extra_trees=extra, path_smooth=i) for i in range(members)]
    joined = lightgbm.Booster(model_str=merge([one.model_to_string() for one in bag]))
    rows = rng.normal(size=(40, 5))
    rows[rng.random(rows.shape) < 0.2] = np.nan
    for kind in ("raw_score", "pred_contrib"):
        wanted = np.mean([one.predict(rows, num_threads=1, **{kind: True}) for one in bag], axis=0)
        found = joined.predict(rows, num_threads=1, **{kind: True})
        np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


def test_weights_scale_the_members() -> None:
    rng = np.random.default_rng(4)
    a, b = random_forest(rng), random_forest(rng)
    rows = rng.normal(size=(20, 4))
    joined = parse(merge([render(a), render(b)], weights=[0.25, 2.0]))
    wanted = 0.25 * model_of(a).scores(rows) + 2.0 * model_of(b).scores(rows)
    np.testing.assert_allclose(model_of(joined).scores(rows), wanted, rtol=0, atol=1e-12)


def test_a_constant_tree_and_features_never_split_survive() -> None:
    """LightGBM writes them as empty lines and as `none`."""
    rng = np.random.default_rng(1)
    stump = merge([grown(rng, 0, min_data_in_leaf=200).model_to_string()])
    assert parse(stump).leaves.tolist() == [1]
    assert parse(stump).ranges == (None,) * 5


def test_members_must_have_the_same_features() -> None:
    rng = np.random.default_rng(2)
    with pytest.raises(Refused, match="same features in the same order"):
        merge([render(random_forest(rng, features=3)), render(random_forest(rng, features=4))])
    with pytest.raises(Refused, match="at least one member"):
        merge([])
    with pytest.raises(Refused, match="2 finite weights"):
        merge([render(random_forest(rng))] * 2, weights=[1.0])


EDITS = {
    "no tree at all": (lambda t: t[:0], "a header followed by Tree=0"),
    "another format": (lambda t: t.replace("tree\n", "forest\n", 1), "'tree' as its first line"),
    "another version": (lambda t: t.replace("version=v4", "version=v3"), "version=v4"),
    "two classes": (lambda t: t.replace("num_class=1", "num_class=2"), "num_class=1"),
    "an average": (lambda t: t.replace("label_", "average_output\nlabel_", 1), "a sum of trees"),
    "no end": (lambda t: t.replace("end of trees\n", ""), "'end of trees'"),
    "a size": (lambda t: t.replace("tree_sizes=", "tree_sizes=1", 1), "tree_sizes"),
    "a size less": (lambda t: t.replace("tree_sizes=", "tree_sizes=9 ", 1), "tree_sizes"),
    "a number": (lambda t: t.replace("Tree=3\n", "Tree=7\n"), "Tree=3"),
    "names": (lambda t: t.replace("max_feature_idx=4", "max_feature_idx=9"), "max_feature_idx"),
    "a name twice": (lambda t: t.replace("Column_1", "Column_0"), "each feature name once"),
    "a bad name": (lambda t: t.replace("Column_1", "Column:1"), "feature names without"),
    "a range": (lambda t: t.replace("feature_infos=[", "feature_infos=[x", 1), "feature_infos"),
    "a range less": (lambda t: t.replace("feature_infos=", "feature_infos=none "), "5 feature_inf"),
    "categories": (lambda t: t.replace("num_cat=0", "num_cat=1", 1), "num_cat=0"),
    "linear leaves": (lambda t: t.replace("is_linear=0", "is_linear=1", 1), "is_linear=0"),
}


@pytest.mark.parametrize("name", EDITS)
def test_an_edited_text_is_refused(text: str, name: str) -> None:
    edit, match = EDITS[name]
    assert edit(text) != text
    with pytest.raises(Refused, match=match) as caught:
        parse(edit(text))
    assert caught.value.cure
    assert {"expected", "found"} <= caught.value.details.keys()


def changed(text: str, key: str, position: int, value: str) -> str:
    """Change one number of the first tree and keep the sizes right."""
    line = next(line for line in text.split("\n") if line.startswith(key + "="))
    numbers = line.partition("=")[2].split(" ")
    numbers[position] = value
    fresh = f"{key}=" + " ".join(numbers)
    before, sizes, after = text.partition("tree_sizes=")
    size, space, rest = after.partition(" ")
    size = str(int(size) + len(fresh) - len(line))
    return before + sizes + size + space + rest.replace(line, fresh, 1)


@pytest.mark.parametrize(
    ("key", "position", "value", "match"),
    [
        ("left_child", 0, "99", "children behind their parent"),
        ("left_child", 0, "-99", "children behind their parent"),
        ("left_child", 1, "0", "children behind their parent"),
        ("right_child", 1, "1", "children behind their parent"),
        ("right_child", 0, "-1", "one parent per node"),
        ("split_feature", 0, "5", "split features from 0 to 4"),
        ("split_feature", 0, "-1", "split features from 0 to 4"),
        ("decision_type", 0, "1", "numeric splits only"),
        ("decision_type", 0, "12", "numeric splits only"),
        ("threshold", 0, "nan", "decimal numbers as threshold"),
        ("threshold", 0, "1e", "decimal numbers as threshold"),
        ("leaf_value", 0, "inf", "finite numbers as leaf_value"),
        ("leaf_value", 0, "1e999", "finite numbers as leaf_value"),
        ("leaf_value", 0, "1 2", "6 numbers of leaf_value in tree 0"),
        ("leaf_count", 0, "0", "positive row counts"),
        ("leaf_count", 0, "7777", "counts that add up"),
        ("leaf_count", 0, "99999999999999999999", "decimal numbers as leaf_count"),
        ("internal_count", 0, "12.5", "decimal numbers as internal_count"),
        ("num_leaves", 0, "0", "1 to 100000 leaves"),
        ("num_leaves", 0, "7", "6 numbers of split_feature in tree 0"),
        ("shrinkage", 0, "", "1 numbers of shrinkage"),
    ],
)
def test_a_broken_tree_is_refused(text: str, key: str, position, value: str, match: str) -> None:
    with pytest.raises(Refused, match=match):
        parse(changed(text, key, position, value))


def test_every_truncation_is_refused(text: str) -> None:
    for end in range(0, len(text), 7):
        with pytest.raises(Refused):
            check(text[:end])


@settings(max_examples=300)
@given(st.integers(0, 2**32 - 1))
def test_an_edited_character_is_refused_or_harmless(text: str, seed: int) -> None:
    """What passes may be another model (the hash of its bundle says so), never a broken one."""
    rng = np.random.default_rng(seed)
    at = int(rng.integers(len(text)))
    edited = text[:at] + str(rng.choice(list("0123456789-. \n=e"))) + text[at + 1 :]
    try:
        check(edited)
    except Refused:
        return
    assert np.isfinite(
        lightgbm.Booster(model_str=edited).predict(np.zeros((3, 5)), num_threads=1)
    ).all()
