"""The memory of who became whom: the key, the pseudonyms and the date shifts."""

from bidsanon.vault.plan import PersonPlan

__all__ = ["PersonPlan"]
