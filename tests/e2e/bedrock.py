"""A real instrumentor from PyPI: boto3 talks to a stub of Amazon Bedrock over HTTP, `openinference-instrumentation-bedrock` makes
spans of it, and the built-in config makes interactions, tokens, cost and tool calls of those.

Only the HTTP answers are ours (shapes: Amazon Bedrock API reference, Converse, InvokeModel, InvokeAgent and its trace events).
As a program, with the address of an OTLP receiver, this file is the bot.
"""

import base64
import binascii
import collections
import http.server
import json
import struct
import subprocess
import sys
import threading

from prometheus_client.parser import text_string_to_metric_families as classic

from stack import check, fetch, free_ports, wait_for

CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0"
SECRET = "my password is hunter2"
USER, SESSION = "U0BEDROCK", "C0BEDROCK"


def answer(text, tokens, reason="end_turn", content=None):
    """What Converse answers."""
    return {"output": {"message": {"role": "assistant", "content": content or [{"text": text}]}}, "stopReason": reason,
            "usage": {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)},
            "metrics": {"latencyMs": 812}}


TOOL_USE = [{"toolUse": {"toolUseId": "tooluse_1", "name": "get_build_status", "input": {"job": "distribution-build"}}}]
CONVERSE = [answer("", (1200, 80), "tool_use", TOOL_USE), answer("The build is green.", (1500, 40))]
INVOKE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001",
          "content": [{"type": "text", "text": "Next Tuesday."}], "stop_reason": "end_turn", "stop_sequence": None,
          "usage": {"input_tokens": 300, "output_tokens": 20}}


def usage(trace_id, tokens):
    times = {"startTime": "2026-11-25T12:00:00.000000Z", "endTime": "2026-11-25T12:00:02.500000Z", "totalTimeMs": 2500}
    return {"modelInvocationOutput": {
        "traceId": trace_id, "metadata": {**times, "usage": {"inputTokens": tokens[0], "outputTokens": tokens[1]}},
        "rawResponse": {"content": json.dumps({"content": [{"text": "thinking"}]})}}}


def question(trace_id):
    return {"modelInvocationInput": {
        "traceId": trace_id, "type": "ORCHESTRATION", "foundationModel": CLAUDE,
        "inferenceConfiguration": {"temperature": 0.0, "topP": 1.0, "topK": 1, "maximumLength": 2048, "stopSequences": []},
        "text": json.dumps({"system": "You are a bot.", "messages": [{"role": "user", "content": SECRET}]})}}


def events():
    """The events of an agent that thinks, uses a tool, searches its knowledge, thinks again and answers."""
    tool = {"traceId": "t-2", "invocationType": "ACTION_GROUP", "actionGroupInvocationInput": {
        "actionGroupName": "jenkins", "function": "trigger_job", "executionType": "LAMBDA", "invocationId": "i-1",
        "parameters": [{"name": "job", "type": "string", "value": "integration-test"}]}}
    told = {"traceId": "t-2", "type": "ACTION_GROUP", "actionGroupInvocationOutput": {"text": json.dumps({"status": "ok"}), "metadata": {
        "startTime": "2026-11-25T12:00:03.000000Z", "endTime": "2026-11-25T12:00:04.500000Z", "totalTimeMs": 1500}}}
    search = {"traceId": "t-3", "invocationType": "KNOWLEDGE_BASE",
              "knowledgeBaseLookupInput": {"knowledgeBaseId": "KB12345678", "text": SECRET}}
    found = {"traceId": "t-3", "type": "KNOWLEDGE_BASE", "knowledgeBaseLookupOutput": {"retrievedReferences": [
        {"content": {"text": "Releases are on Tuesdays."}, "location": {"type": "S3", "s3Location": {"uri": "s3://docs/release.md"}},
         "metadata": {}}]}}
    steps = [question("t-1"), usage("t-1", (2000, 100)), {"invocationInput": tool}, {"observation": told},
             {"invocationInput": search}, {"observation": found}, question("t-4"), usage("t-4", (2600, 150)),
             {"observation": {"traceId": "t-4", "type": "FINISH", "finalResponse": {"text": "It is triggered."}}}]
    for step in steps:
        yield "trace", {"agentId": "AGENT12345", "agentAliasId": "ALIAS12345", "sessionId": SESSION, "agentVersion": "3",
                        "trace": {"orchestrationTrace": step}}
    yield "chunk", {"bytes": base64.b64encode(b"It is triggered.").decode()}


def message(kind, body):
    """One message of an event stream (application/vnd.amazon.eventstream)."""
    headers = b""
    for name, value in [(":event-type", kind), (":content-type", "application/json"), (":message-type", "event")]:
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    payload = json.dumps(body).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


class Bedrock(http.server.BaseHTTPRequestHandler):
    """Answers as the service does."""

    protocol_version = "HTTP/1.1"
    conversation = list(CONVERSE)

    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        kind, status, body = "application/json", 200, b""
        if self.path.endswith("/converse"):
            if "throttled" in self.path:
                status, body = 429, json.dumps({"message": "Too many requests, please wait before trying again."}).encode()
            else:
                body = json.dumps(Bedrock.conversation.pop(0)).encode()
        elif self.path.endswith("/invoke"):
            body = json.dumps(INVOKE).encode()
        elif "/agents/" in self.path:
            kind = "application/vnd.amazon.eventstream"
            body = b"".join(message(name, event) for name, event in events())
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", "11111111-2222-3333-4444-555555555555")
        if status == 429:
            self.send_header("x-amzn-ErrorType", "ThrottlingException")
        if "/agents/" in self.path:
            self.send_header("x-amzn-bedrock-agent-content-type", "application/json")
            self.send_header("x-amz-bedrock-agent-session-id", SESSION)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def bot(exporter):
    """Asks a model with a tool, a model without, an agent, and a model that is busy; all under one user and session."""
    import boto3
    from botocore.config import Config
    from openinference.instrumentation import using_attributes
    from openinference.instrumentation.bedrock import BedrockInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Bedrock)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    provider = TracerProvider(resource=Resource.create({"service.name": "bedrock-bot"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    BedrockInstrumentor().instrument(tracer_provider=provider)
    told = {"endpoint_url": f"http://127.0.0.1:{server.server_port}", "region_name": "us-east-1", "aws_access_key_id": "x",
            "aws_secret_access_key": "x", "config": Config(retries={"max_attempts": 1, "mode": "standard"})}
    runtime, agents = boto3.client("bedrock-runtime", **told), boto3.client("bedrock-agent-runtime", **told)
    ask = [{"role": "user", "content": [{"text": SECRET}]}]
    with using_attributes(user_id=USER, session_id=SESSION):
        first = runtime.converse(modelId=CLAUDE, messages=ask)
        result = [{"toolResult": {"toolUseId": "tooluse_1", "content": [{"json": {"status": "green"}}]}}]
        runtime.converse(modelId=CLAUDE, messages=[*ask, first["output"]["message"], {"role": "user", "content": result}])
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": [{"role": "user", "content": SECRET}]}
        runtime.invoke_model(modelId=HAIKU, body=json.dumps(body))["body"].read()
        try:
            runtime.converse(modelId="throttled.model-v1:0", messages=ask)
        except runtime.exceptions.ThrottlingException:
            pass
        stream = agents.invoke_agent(agentId="AGENT12345", agentAliasId="ALIAS12345", sessionId=SESSION, inputText=SECRET,
                                     enableTrace=True)
        for _ in stream["completion"]:
            pass
    provider.shutdown()
    server.shutdown()


def sums(text, metric, *labels):
    """What the bot's series of a metric hold, by these labels; sums of 0 are left out."""
    found = collections.Counter()
    for family in classic(text):
        for sample in family.samples:
            if sample.name == metric and sample.labels.get("service") == "bedrock-bot":
                found[tuple(sample.labels.get(label, "") for label in labels)] += sample.value
    return {key: round(value, 9) for key, value in found.items() if value}


def run(binary, folder):
    web, grpc, http = free_ports(3)
    log = open(folder / "log", "wb")
    sidecar = subprocess.Popen([binary, "serve", f"--web.listen-address=127.0.0.1:{web}", f"--otlp.grpc.listen-address=127.0.0.1:{grpc}",
                                f"--otlp.http.listen-address=127.0.0.1:{http}"], stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(f"http://127.0.0.1:{web}/-/ready")
        sent = subprocess.run([sys.executable, __file__, f"http://127.0.0.1:{http}"], capture_output=True, text=True, timeout=120)
        check("bedrock: the bot ends well", sent.returncode, 0)
        text = fetch(f"http://127.0.0.1:{web}/metrics")[1]
    finally:
        sidecar.terminate()
        sidecar.wait(timeout=30)
        log.close()
    sonnet, haiku = "claude-sonnet-4-5", "claude-haiku-4-5"
    for metric, labels, wanted in [
        ("bot_interactions_total", ("outcome",), {("answered",): 1}),
        ("bot_active_users", ("window",), {("1d",): 1, ("7d",): 1, ("28d",): 1, ("today",): 1}),
        ("bot_model_calls_total", ("model", "error_type"), {(sonnet, "none"): 4, (haiku, "none"): 1, ("model", "_OTHER"): 1}),
        ("bot_tokens_total", ("model", "type"),
         {(sonnet, "input"): 7300, (sonnet, "output"): 370, (haiku, "input"): 300, (haiku, "output"): 20}),
        ("bot_cost_usd_total", ("model",), {(sonnet,): 7300 * 3e-6 + 370 * 15e-6, (haiku,): 300 * 1e-6 + 20 * 5e-6}),
        ("bot_model_stops_total", ("reason",), {("stop",): 2, ("tool_call",): 1}),
        ("bot_tool_calls_total", ("tool", "outcome"), {("trigger_job", "ok"): 1}),
        ("bot_agent_calls_total", ("error_type",), {("none",): 1}),
        ("bot_retrievals_total", ("result",), {("found",): 1}),
        ("bot_throttles_total", ("dependency",), {("model",): 1}),
        ("bot_interaction_errors_total", (), {}),
    ]:
        wanted = {key: round(float(value), 9) for key, value in wanted.items()}
        check(f"bedrock: {metric}", sums(text, metric, *labels), wanted)
    check("bedrock: nothing private", [word for word in (SECRET, USER, SESSION, "integration-test", "Tuesday") if word in text], [])
    log = (folder / "log").read_text(errors="replace")
    check("bedrock: nothing private in the log", [word for word in (SECRET, USER, SESSION) if word in log], [])


if __name__ == "__main__":
    if len(sys.argv) == 1:
        from opentelemetry.sdk.trace.export import ConsoleSpanExporter
        bot(ConsoleSpanExporter())
    else:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        bot(OTLPSpanExporter(endpoint=f"{sys.argv[1]}/v1/traces"))
