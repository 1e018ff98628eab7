"""Says on the current span what a message to the bot was and how it ended. Needs the package opentelemetry-api, nothing else.

    with interaction("knowledge", user=slack_user, conversation=thread, tier="privileged") as said:
        reply = answer(message)
        said(outcome="fallback" if reply.is_canned else "answered")

What raises is an `error` (or a `timeout`) by itself; what says nothing is `answered`. Ids are hashed by the sidecar and never shown.
"""

import contextlib

from opentelemetry import propagate, trace

_tracer = trace.get_tracer("bot_metrics")


@contextlib.contextmanager
def interaction(feature="unknown", *, user=None, conversation=None, tier=None, kind="mention", carrier=None):
    """One message from its arrival to its reply. `carrier` is what `ride` gave, where another process took the message in."""
    parent = propagate.extract(carrier) if carrier else None
    said = {"bot.feature": feature, "bot.interaction.kind": kind, "bot.access.tier": tier, "user.id": user,
            "gen_ai.conversation.id": conversation, "bot.outcome": "answered"}
    with _tracer.start_as_current_span(f"bot.interaction {feature}", context=parent, kind=trace.SpanKind.CONSUMER) as span:
        def say(**more):
            said.update({f"bot.{name}": value for name, value in more.items()})
        try:
            yield say
        except BaseException as error:
            said["bot.outcome"] = "timeout" if isinstance(error, TimeoutError) else "error"
            raise
        finally:
            span.set_attributes({name: value for name, value in said.items() if value is not None})


def ride():
    """The trace context as a dict of strings: put it into the payload of a self-invoked function."""
    carrier = {}
    propagate.inject(carrier)
    return carrier
