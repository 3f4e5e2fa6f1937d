"""What happens to each attribute: the profiles, bundled and a user's own."""

from bidsanon.dicom.confidentiality import Action, Option
from bidsanon.profile.amending import UNAMENDED, Amendment, amend_profile
from bidsanon.profile.beyond_table import not_cleanable, protecting_row, unlisted_dates
from bidsanon.profile.decision import Cleaning, Decision, PrivateKey, Rule
from bidsanon.profile.description import AttributeRow
from bidsanon.profile.loading import bundled_profiles, load_profile
from bidsanon.profile.profile import Profile

__all__ = [
    "UNAMENDED",
    "Action",
    "Amendment",
    "AttributeRow",
    "Cleaning",
    "Decision",
    "Option",
    "PrivateKey",
    "Profile",
    "Rule",
    "amend_profile",
    "bundled_profiles",
    "load_profile",
    "not_cleanable",
    "protecting_row",
    "unlisted_dates",
]
