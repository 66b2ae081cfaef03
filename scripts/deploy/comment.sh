#!/bin/bash
# comment.sh PULL-REQUEST ENVIRONMENT PLAN: shows a plan as a comment of a pull request, in place of the one before it.
# The plan's text is never part of a command.
set -euo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
# shellcheck source-path=SCRIPTDIR source=env.sh
. "$HERE/env.sh"
[ $# = 3 ] || die "usage: comment.sh PULL-REQUEST ENVIRONMENT PLAN"
request=$1 environment=$2 plan=$3 mark="<!-- plan of $2 -->" body=$(mktemp)
[[ $request =~ ^[0-9]+$ && $environment =~ ^[a-z][a-z0-9-]*$ ]] || die "not a pull request and an environment"
trap 'rm -f "$body"' EXIT

summary=$(grep -E '^(Plan:|No changes|Error)' "$plan" | head -n 1 || true)
{
  printf '%s\n**Terraform, %s:** %s\n\n<details><summary>The plan</summary>\n\n' "$mark" "$environment" "${summary:-no summary}"
  # GitHub takes 65,536 characters; a fence that the plan could close would let it write outside of the block.
  # shellcheck disable=SC2016  # the fence
  printf '````text\n%s\n````\n</details>\n' "$(head -c 60000 "$plan" | sed 's/````/` ` ` `/g')"
} >"$body"

comments="repos/$GITHUB_REPOSITORY/issues/$request/comments"
before=$(gh api --paginate "$comments" --jq ".[] | select(.user.login == \"github-actions[bot]\" and (.body | startswith(\"$mark\"))) | .id" | tail -n 1)
if [ -n "$before" ]; then
  gh api --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$before" --field "body=@$body" --silent
else
  gh api --method POST "$comments" --field "body=@$body" --silent
fi
