"""What happens to each attribute: the profiles, bundled and a user's own."""

from bidsanon.dicom.confidentiality import Action, Option
from bidsanon.profile.profile import Cleaning, Decision, Profile

__all__ = ["Action", "Cleaning", "Decision", "Option", "Profile"]
