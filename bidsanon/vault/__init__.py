"""The memory of who became whom: the key, the pseudonyms and the date shifts."""

from bidsanon.vault.changing import (
    destroy_vault,
    forgotten_by_destroying,
    protect_vault,
    unprotect_vault,
)
from bidsanon.vault.contents import VaultContents, read_contents
from bidsanon.vault.passphrase import PASSPHRASE_VARIABLE, read_passphrase
from bidsanon.vault.plan import PersonPlan
from bidsanon.vault.pseudonyms import PseudonymForm, make_pseudonym
from bidsanon.vault.recognition import Recogniser
from bidsanon.vault.storage import VAULT_NAME
from bidsanon.vault.usage import vault_alone, vault_in_use
from bidsanon.vault.vault import Vault

__all__ = [
    "PASSPHRASE_VARIABLE",
    "VAULT_NAME",
    "PersonPlan",
    "PseudonymForm",
    "Recogniser",
    "Vault",
    "VaultContents",
    "destroy_vault",
    "forgotten_by_destroying",
    "make_pseudonym",
    "protect_vault",
    "read_contents",
    "read_passphrase",
    "unprotect_vault",
    "vault_alone",
    "vault_in_use",
]
