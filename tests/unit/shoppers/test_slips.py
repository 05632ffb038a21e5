"""A shopper's message that offers help is the assistant's talk, in each language that has word lists."""

from __future__ import annotations

import pytest

from convsim.shoppers.speaking import slip


@pytest.mark.parametrize(
    "offer",
    [
        "How can I help you today?", "Hallo! Wie kann ich Ihnen helfen?", "¿En qué puedo ayudarle?",
        "En quoi puis-je vous aider ?", "Olá, como posso ajudar?", "您好，有什么可以帮您的吗？",
        "何かお手伝いできますか。",
    ],
)  # fmt: skip
def test_an_offer_of_help_is_a_slip(offer: str) -> None:
    assert slip(offer)


@pytest.mark.parametrize(
    "request_",
    [
        "can you help me?", "können Sie mir helfen?", "wie kann ich das zurückgeben?", "¿me puede ayudar?",
        "pouvez-vous m'aider ?", "pode me ajudar?", "你能帮我吗", "お手伝いお願いします",
    ],
)  # fmt: skip
def test_who_asks_for_help_stays_in_role(request_: str) -> None:
    assert slip(request_) is None
