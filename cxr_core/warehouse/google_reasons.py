"""Why Google refuses besides a missing role: each reason its own sentence, with what helps against it."""

import re
from collections.abc import Sequence
from typing import NamedTuple


class _Reason(NamedTuple):
    """Google's words for a reason (its `reason`, or what stands in its message), and ours."""

    reasons: Sequence[str]
    pattern: str
    words: str


#: The first that fits counts; what is told by the message alone stands before what a general reason would hide.
_REASONS: tuple[_Reason, ...] = (
    _Reason(
        ("accessNotConfigured", "SERVICE_DISABLED"),
        r"API has not been used|API .*is(?: currently)? disabled|SERVICE_DISABLED",
        "The BigQuery API is switched off in the project that pays. Its owner switches it on with "
        "`gcloud services enable bigquery.googleapis.com`, or set another `project` in cxr.toml.",
    ),
    _Reason(
        ("billingNotEnabled", "accountDisabled"),
        r"[Bb]illing (?:has not been|is not|must be) enabled|BILLING_DISABLED|billing account .*(?:closed|disabled)",
        "Billing is off in the project that pays. Its owner links a billing account to it, or set another `project` in "
        "cxr.toml.",
    ),
    _Reason(
        ("vpcServiceControls", "policyViolation", "SECURITY_POLICY_VIOLATED"),
        r"VPC Service Controls|vpcServiceControls|organization's policy|organization policy|[Pp]olicy tag",
        "A policy of the organisation forbids this from here (VPC Service Controls, an organisation policy or a policy "
        "tag on a column); no role helps. Ask whoever administers it, and ask from a network that it allows.",
    ),
    _Reason(
        ("rateLimitExceeded", "jobRateLimitExceeded", "userRateLimitExceeded"),
        r"Exceeded rate limits|too many (?:api requests|concurrent queries)",
        "BigQuery was asked too often within a short time. Try again later, in a minute or so.",
    ),
    _Reason(
        ("quotaExceeded", "dailyLimitExceeded"),
        r"[Qq]uota exceeded|exceeded the custom quota",
        "A quota of the project that pays is used up. Try again when it starts anew (a daily one at midnight, Pacific "
        "Time), have its owner raise it, or set another `project` in cxr.toml.",
    ),
    _Reason(
        ("responseTooLarge",),
        r"[Rr]esponse too large",
        "The answer is larger than BigQuery returns. Choose one data set or view, or name smaller tables in cxr.toml.",
    ),
    _Reason(
        ("resourcesExceeded",),
        r"[Rr]esources exceeded",
        "The question needs more memory than BigQuery gives to one query. Choose one data set or view, or name smaller "
        "tables in cxr.toml.",
    ),
    _Reason(
        (),
        r"without a filter .*partition elimination",
        "The table is read only with a filter on its partitions, and its owner's description does not say by which "
        "column. Ask the owner for BigQuery Metadata Viewer on it, or for a view without that rule.",
    ),
    _Reason(
        ("billingTierLimitExceeded",),
        r"billing tier",
        "The question needs more computing than the project's billing tier allows. Choose one data set or view.",
    ),
    _Reason(
        ("blocked",),
        r"temporarily (?:blocked|denylisted)",
        "BigQuery has blocked such questions of this project for a while. Ask Google Cloud's support why.",
    ),
    _Reason(
        ("tableUnavailable",),
        r"[Tt]able .*is (?:temporarily )?unavailable",
        "The table cannot be read just now, since Google keeps it elsewhere. Try again in a few minutes.",
    ),
    _Reason(
        ("invalidUser",),
        r"[Ii]nvalid user",
        "The account may not be used with BigQuery. Sign in as another, or name other `credentials` in cxr.toml.",
    ),
    _Reason(
        ("proxyAuthenticationRequired",),
        r"[Pp]roxy [Aa]uthentication",
        "A proxy between here and BigQuery asks for a name and a password. Set HTTPS_PROXY with both.",
    ),
    _Reason(
        ("stopped",),
        r"Job execution was cancelled",
        "Somebody stopped the query. Ask again, or whoever looks after the project that pays.",
    ),
)


def reason_words(reason: str, text: str) -> str | None:
    """Return in a sentence why Google refused and what helps; None where its reason is none of these.

    Args:
        reason: Google's word, such as `quotaExceeded`; "" where there is none.
        text: Google's message.
    """
    for one in _REASONS:
        if re.search(one.pattern, text):
            return one.words
    return next((one.words for one in _REASONS if reason in one.reasons), None)
