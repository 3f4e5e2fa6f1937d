"""The memory of who became whom: the key, the pseudonyms and the date shifts."""

from bidsanon.vault.plan import PersonPlan
from bidsanon.vault.pseudonyms import PseudonymForm, make_pseudonym
from bidsanon.vault.vault import VAULT_NAME, Vault

__all__ = ["VAULT_NAME", "PersonPlan", "PseudonymForm", "Vault", "make_pseudonym"]
