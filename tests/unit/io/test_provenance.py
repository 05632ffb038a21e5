"""What a manifest says that a run was made with."""

from importlib.metadata import version

from convsim.io.provenance import own_version, provenance


def test_a_manifest_has_the_versions_of_what_carries_and_of_what_reads_answers() -> None:
    said = provenance()["versions"]
    assert isinstance(said, dict)
    assert said["aiohttp"] == version("aiohttp")
    assert said["openai"] == version("openai")
    assert said["convsim"] == own_version()
