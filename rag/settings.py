"""All settings, read once. Precedence: arguments, environment (`CITYCITE_…`), `citycite.toml` in the working folder."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from rag.errors import UsageError

SETTINGS_FILE = "citycite.toml"


class Settings(BaseSettings):
    """What an operator can set. Each field is the variable `CITYCITE_<FIELD>` or a key of `citycite.toml`."""

    model_config = SettingsConfigDict(
        env_prefix="CITYCITE_", toml_file=SETTINGS_FILE, extra="forbid", frozen=True, env_ignore_empty=True
    )

    store: str = Field("./store", description="Folder of the store, or the URL of a Chroma server.")
    embedding_model: str = Field(
        "intfloat/multilingual-e5-small",
        description="The packaged model, or the path of any sentence-transformers folder. A store keeps the model "
        "it was made with.",
    )
    cross_encoder: str = Field(
        "",
        description="Path of a sentence-transformers CrossEncoder folder, which then puts the first 10 passages in "
        "order; empty: none.",
    )
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="Number format of the embedding model; `auto` takes bfloat16 where the CPU computes it."
    )
    threads: int = Field(
        0, ge=0, description="CPU threads for embedding documents; 0 leaves the choice to torch. A question takes one."
    )
    name: str = Field("citycite", description="Name in the head of the chat page, such as that of the city.")
    logo: str = Field("", description="Path of a logo for the chat page: .png, .jpg, .webp or .svg, at most 500 kB.")
    colour: str = Field("", description="Colour of buttons and links on the chat page, as #1b5070; empty: a dark blue.")
    contact: str = Field(
        "",
        description="Whom to ask where there is no answer: a mail address, a telephone number, a page or a sentence.",
    )
    examples: tuple[str, ...] = Field(
        (), description="First questions on the chat page, as a JSON list; empty: found in the documents."
    )
    imprint_url: str = Field("", description="Address of the imprint, linked from the chat page.")
    privacy_url: str = Field("", description="Address of the privacy notice, linked from the chat page.")
    accessibility_url: str = Field("", description="Address of the accessibility statement, linked from the chat page.")
    folder_groups: dict[str, tuple[str, ...]] = Field(
        {},
        description="Which groups see what lies where, unless side files say so: patterns in gitignore syntax with "
        'groups, as `{"personnel/": ["hr"], "council/closed/": ["council"]}`; of several that match, the last holds. '
        "Applied at the next ingest.",
    )
    ungrouped: Literal["everybody", "nobody"] = Field(
        "everybody", description="Who sees documents of which nothing says which groups may."
    )
    sign_in: Literal["open", "keys", "proxy", "oidc"] = Field(
        "open",
        description="How readers sign in: `open` not at all, they see what everybody may; `keys` with an API key; "
        "`proxy` by headers of a trusted proxy; `oidc` at an OpenID provider. API keys count in all of them.",
    )
    proxy_user_header: str = Field("X-Forwarded-User", description="Header by which the proxy names who asks.")
    proxy_groups_header: str = Field(
        "X-Forwarded-Groups", description="Header by which the proxy names their groups, with commas between."
    )
    oidc_issuer: str = Field(
        "", description="Address of the OpenID provider, as https://login.stadt.example/realms/city"
    )
    oidc_client_id: str = Field("", description="Id by which the OpenID provider knows this server.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Its secret; empty: a public client.")
    oidc_scopes: str = Field("openid profile", description="Scopes asked for, with blanks between.")
    oidc_groups_claim: str = Field("groups", description="Claim of the ID token that lists the groups of who signs in.")
    public_url: str = Field(
        "", description="Address at which readers reach this server, as https://fragen.stadt.example; `oidc` needs it."
    )
    session_minutes: int = Field(480, ge=5, le=7 * 24 * 60, description="Minutes after which one signs in again.")
    secret: SecretStr = Field(
        SecretStr(""),
        description="What sessions and tokens are signed with, at least 32 characters, the same on all servers of one "
        "address; empty: made once and kept in the data folder.",
    )
    # Opening the page takes two requests, a question one; a filter that is typed takes one a key.
    rate_limit: int = Field(
        240, ge=0, description="Requests a minute that one reader may send; 0: any. Files of the page do not count."
    )
    rate_limit_address: int = Field(
        1200, ge=0, description="Requests a minute from one address, which many readers may share; 0: any."
    )
    data: str = Field(
        "",
        description="Folder for what cannot be rebuilt: feedback, questions, evaluation runs, the admin password; "
        "empty: beside the store, `store-data` for `store`. A store with a URL needs one named here.",
    )
    uploads: str = Field(
        "", description="Folder of files uploaded in the admin area; empty: `uploads` in the data folder."
    )
    gold: str = Field(
        "", description="Folder of the gold file that the admin area writes; empty: `gold` in the data folder."
    )
    feedback_days: int = Field(
        365, ge=0, le=3650, description="Days that feedback is kept, without names; 0: none is asked for or kept."
    )
    # Questions can hold names and file numbers: what need not be kept is not kept (GDPR, Art. 25).
    question_log_days: int = Field(
        0,
        ge=0,
        le=365,
        description="Days that questions are kept, without names and by the hour, for the admin area; 0: none are. "
        "Then the chat page says so.",
    )
    audit_days: int = Field(
        365, ge=31, le=3650, description="Days that it is kept, by whole months, who did what in the admin area."
    )
    admin_password: SecretStr = Field(
        SecretStr(""),
        description="Password of the admin area, at least 12 characters; better set with `citycite admin-password`, "
        "which keeps only its hash.",
    )
    admin_header: str = Field(
        "",
        description="Header by which a proxy says who may enter the admin area, as `X-Admin-User`, or `X-Groups: "
        "admins` where it must name a value. Then there is no password.",
    )
    allowed_origins: str = Field(
        "",
        description="Origins, with commas between, of pages whose scripts may use the HTTP API, as the widget does: "
        "https://intranet.stadt.example; empty: none but this server's own.",
    )
    frame_ancestors: str = Field(
        "",
        description="Origins, with commas between, whose pages may show the chat page in an iframe; empty: none but "
        "this server's own.",
    )
    trusted_proxies: str = Field(
        "", description="Addresses or networks, with commas between, of the proxies whose headers are believed."
    )
    log_format: Literal["plain", "json"] = Field(
        "plain",
        description="`plain`: warnings and errors as lines; `json`: these and every request, one JSON object a line "
        "with the request's id, never what was asked.",
    )
    metrics: bool = Field(True, description="Whether figures for Prometheus are served at /metrics.")
    # On the sample corpus 0.4 refuses 83 % of the unanswerable questions and 66 % of the answers given are right; 0.5
    # refuses 93 % and makes that 74 %, and gives a quarter fewer right answers.
    threshold: float = Field(
        0.25, ge=0, le=1, description="Confidence from which on a question is answered; below it, citycite abstains."
    )
    max_citations: int = Field(3, ge=1, le=10, description="Citations an answer has at most.")
    max_question: int = Field(2000, ge=1, description="Characters of a question at most.")
    llm: str = Field(
        "",
        description="Language model that formulates answers, `openai:MODEL` (any server with OpenAI's chat protocol) "
        "or `ollama:MODEL`; empty: answers are quotes.",
    )
    llm_base_url: str = Field(
        "", description="Address of the language model's server, such as http://127.0.0.1:8080/v1; `openai:` needs it."
    )
    llm_api_key: SecretStr = Field(SecretStr(""), description="Key that this server asks for; empty: none.")
    # A reader has the quote at once; beyond half a minute nobody waits for the same in other words.
    llm_timeout: float = Field(
        30.0, gt=0, description="Seconds that the language model may take; later the quote alone is the answer."
    )
    llm_context: int = Field(
        4096, ge=1024, description="Tokens that the language model reads and writes at most; passages are cut to fit."
    )
    llm_max_tokens: int = Field(400, ge=50, description="Tokens of a formulated answer at most.")
    max_file_mb: int = Field(200, ge=1, description="Megabytes of a file at most; a larger one is reported as failed.")
    # The longest that harmless files take: LibreOffice may use 120 s, a PDF of 5,000 pages about as many.
    parse_timeout: float = Field(
        300.0,
        gt=0,
        description="Seconds that reading one file may take, recognition of scanned pages apart, which has limits of "
        "its own; a file that takes longer is reported as failed.",
    )
    # Ordinary files take up to 300 MB, mostly programs; LibreOffice 500; the largest picture that is read 1,200.
    parse_memory_mb: int = Field(
        2000,
        ge=200,
        description="Megabytes of address space of a process that reads files; a file that needs more is reported as "
        "failed.",
    )
    parse_workers: int = Field(0, ge=0, description="Processes that read files at once; 0: as many as cores.")
    web_delay: float = Field(
        0.5, ge=0, description="Seconds between two requests to a web server; robots.txt may ask for more."
    )
    web_timeout: float = Field(30.0, gt=0, description="Seconds that one request to a web server may take in all.")
    web_max_mb: int = Field(
        50, ge=1, description="Megabytes of a page from the web at most, packed and unpacked; more is not read."
    )
    web_allow_private: bool = Field(
        False,
        description="Whether web pages may be read from private and loopback addresses, for intranets; link-local "
        "ones, where clouds keep credentials, are refused in any case.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**overrides: str | int | float | None) -> Settings:
    """Read the settings; overrides that are None are left out.

    Raises:
        UsageError: a value is wrong or a key unknown; the message names it.
    """
    try:
        return Settings(**{key: value for key, value in overrides.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise UsageError(
            f"Setting {name} (CITYCITE_{name.upper()} or {name} in {SETTINGS_FILE}) "
            f"is {first.get('input')!r}: {first['msg']}"
        ) from None
    except ValueError as error:  # a TOML file that cannot be parsed
        raise UsageError(f"{Path(SETTINGS_FILE).resolve()} cannot be read: {error}") from None
