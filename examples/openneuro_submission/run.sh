#!/usr/bin/env bash
# From a session's DICOM to one archive that OpenNeuro would take, with what a person has to affirm.
set -euo pipefail
example=$(cd "$(dirname "$0")" && pwd)
here=$(mktemp -d)
trap 'rm -rf "$here"' EXIT

# A made-up session, converted: bidsanon demo keeps its DICOM beside the dataset.
bidsanon demo "$here/demo" >/dev/null 2>&1
study="$here/demo/dataset"
python=$(dirname "$(command -v bidsanon)")/python3

# 1. Would OpenNeuro take it? Exit code 4: it has no authors, which OpenNeuro insists on.
status=0
bidsanon validate "$study" --openneuro --json >"$here/before.json" || status=$?
test "$status" = 4
"$python" - "$here/before.json" <<'PYTHON'
import json, sys
said = json.load(open(sys.argv[1]))
assert said["openneuro"]["taken"] is False
for finding in said["findings"]:
    if finding["severity"] == "error":
        print(finding["code"], finding["location"], "-", finding["message"])
PYTHON

# 2. What no scanner knows stands in the lab's file. It fills what nobody wrote, and nothing else;
#    convert --profile does the same for every session that it publishes.
cat "$example/lab.toml"
bidsanon scrub "$study" --profile "$example/lab.toml" --dry-run
bidsanon scrub "$study" --profile "$example/lab.toml" >/dev/null
grep Authors --after-context=3 "$study/dataset_description.json"

# 3. Now it would take it. The checklist says of each point what is known and what is yours to know.
bidsanon validate "$study" --openneuro
bidsanon validate "$study" --openneuro --json >"$here/after.json"
"$python" - "$here/after.json" <<'PYTHON'
import json, sys
said = json.load(open(sys.argv[1]))["openneuro"]
assert said["taken"] is True
points = {one["point"]: one["knowledge"] for one in said["affirmations"]}
assert points["faces"] == points["licence"] == "known"
assert points["key"] == "contradicted", "it is in the private folder"
assert points["gdpr"] == "not-known", "and nobody but you can know"
PYTHON

# 4. What would go? Nothing is written.
mkdir "$study/.git"
bidsanon export "$study" "$here/study.tar.gz" --openneuro --dry-run
test ! -e "$here/study.tar.gz"

# 5. Pack it, twice: the same bytes, and no private folder, no .git in them. A ZIP holds the same.
bidsanon export "$study" "$here/study.tar.gz" --openneuro
bidsanon export "$study" "$here/again.tar.gz" --openneuro --jobs 1 >/dev/null
cmp "$here/study.tar.gz" "$here/again.tar.gz"
bidsanon export "$study" "$here/study.zip" --openneuro >/dev/null

# 6. Whoever unpacks it can check every file, and finds a dataset that is valid.
mkdir "$here/received" "$here/zipped"
tar -xzf "$here/study.tar.gz" -C "$here/received"
"$python" -m zipfile -e "$here/study.zip" "$here/zipped"
diff -r "$here/received" "$here/zipped"
(cd "$here/received" && sha256sum --check --quiet manifest-sha256.txt)
ls -A "$here/received" "$here/received/dataset"
bidsanon validate "$here/received/dataset" >/dev/null

# 7. What stands at OUT is not replaced unasked: exit code 7.
status=0
bidsanon export "$study" "$here/study.tar.gz" 2>/dev/null || status=$?
test "$status" = 7

# 8. The last session is in: end what leads back to the person. What else does is yours to end.
bidsanon vault destroy "$study" --yes
bidsanon validate "$study" --openneuro | grep --after-context=6 " key: "
