"""Names of the variables that a job gets the credentials of its store by; what renders them imports nothing else."""

PREFIX = "WURZEL_STORE_"
KEYS = (f"{PREFIX}ACCESS_KEY_ID", f"{PREFIX}SECRET_ACCESS_KEY")
ROLE = f"{PREFIX}ROLE_ARN"
TOKEN_FILE, ID_TOKEN = f"{PREFIX}TOKEN_FILE", f"{PREFIX}ID_TOKEN"
CACHE = f"{PREFIX}CACHE"
"""The cache mode of one job."""
AUDIENCE_OF = f"{PREFIX}AUDIENCE"
"""What a token of GitHub is issued for."""
AUDIENCE = "sts.amazonaws.com"
"""What tokens are issued for unless the store says otherwise."""
