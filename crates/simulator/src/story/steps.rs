//! The agent's work as spans: attempts, the guardrail, model calls, collaborators, tools and what stands behind them.

use super::super::mix::Dependency;
use super::super::model::{Attempt, Call, Interaction, Step, ToolCall};
use super::{Kind, Span, Trace, Value};

/// Share of the window that an attempt takes which fails before the last one.
const LOST: f64 = 0.08;
const PROVIDER: &str = "aws.bedrock";

/// All attempts of a turn within this window of seconds.
pub(super) fn attempts(
    trace: &mut Trace,
    turn: &Interaction,
    parent: usize,
    (start, end): (f64, f64),
) {
    let lost = LOST * (end - start);
    for (n, attempt) in (0_u32..).zip(&turn.attempts) {
        let begin = start + lost * f64::from(n);
        let last = n as usize + 1 == turn.attempts.len();
        let at = (begin, if last { end } else { begin + lost });
        let span = invoke(supervisor(turn), Kind::Client, at, turn)
            .with("bot.attempt.number", attempt.number)
            .with("bot.attempt.strategy", attempt.strategy)
            .under(parent);
        let span = if last { used(span, turn.answering.steps()) } else { span };
        let id = trace.add(span.failed(attempt.error));
        if last {
            work(trace, turn, id, at);
        }
    }
}

fn supervisor(turn: &Interaction) -> &'static str {
    match turn.tier {
        super::super::people::Tier::Privileged => "oscar-privileged",
        _ => "oscar-limited",
    }
}

fn invoke(agent: &'static str, kind: Kind, at: (f64, f64), turn: &Interaction) -> Span {
    Span::new(format!("invoke_agent {agent}"), kind, at)
        .with("gen_ai.operation.name", "invoke_agent")
        .with("gen_ai.provider.name", PROVIDER)
        .with("gen_ai.agent.name", agent)
        .with("gen_ai.conversation.id", Value::Conversation(turn.conversation))
}

/// Puts the usage of these steps on the span around them, as instrumentations do: whoever sums it counts tokens twice.
fn used<'a>(span: Span, steps: impl Iterator<Item = &'a Step>) -> Span {
    let (mut input, mut output) = (0_u64, 0_u64);
    for step in steps {
        if let Step::Call(call) = step {
            (input, output) = (input + call.input, output + call.output);
        }
    }
    span.with("gen_ai.usage.input_tokens", input).with("gen_ai.usage.output_tokens", output)
}

/// The work of the last attempt, in order, filling its time.
fn work(trace: &mut Trace, turn: &Interaction, parent: usize, (start, end): (f64, f64)) {
    let answering = &turn.answering;
    let total: f64 = 0.3 + answering.steps().map(weight).sum::<f64>();
    let pace = (end - start) / total;
    let mut clock = start + 0.3 * pace;
    let action = if turn.guardrail { "INTERVENED" } else { "NONE" };
    trace.add(
        Span::new("apply_guardrail", Kind::Internal, (start, clock))
            .with("bot.guardrail.stage", "input")
            .with("bot.guardrail.action", action)
            .with("aws.bedrock.guardrail.id", "gr-oscar")
            .under(parent),
    );
    run(trace, turn, &answering.before, (parent, pace, &mut clock));
    if let Some(agent) = answering.agent {
        let took: f64 = answering.within.iter().map(weight).sum();
        let at = (clock, clock + took * pace);
        let span = invoke(agent, Kind::Internal, at, turn).under(parent);
        let id = trace.add(used(span, answering.within.iter()));
        run(trace, turn, &answering.within, (id, pace, &mut clock));
    }
    run(trace, turn, &answering.after, (parent, pace, &mut clock));
}

/// How long a step takes against others.
fn weight(step: &Step) -> f64 {
    match step {
        Step::Call(_) => 3.0,
        Step::Tool(_) => 1.5,
        Step::Retrieval(_) => 0.7,
    }
}

fn run(
    trace: &mut Trace,
    turn: &Interaction,
    steps: &[Step],
    (parent, pace, clock): (usize, f64, &mut f64),
) {
    for step in steps {
        let at = (*clock, *clock + weight(step) * pace);
        *clock = at.1;
        match step {
            Step::Call(call) => {
                trace.add(chat(call, turn, at).under(parent));
            }
            Step::Retrieval(retrieval) => {
                trace.add(
                    Span::new(format!("retrieval {}", retrieval.source), Kind::Client, at)
                        .with("gen_ai.operation.name", "retrieval")
                        .with("gen_ai.provider.name", PROVIDER)
                        .with("gen_ai.data_source.id", retrieval.source)
                        .with("aws.bedrock.knowledge_base.id", "kb-oscar")
                        .with("bot.retrieval.hits", retrieval.hits)
                        .with("gen_ai.retrieval.query.text", "when is the next release?")
                        .under(parent),
                );
            }
            Step::Tool(call) => {
                let id = trace.add(tool(call, at).under(parent));
                let within = (at.0 + 0.1 * (at.1 - at.0), at.1 - 0.1 * (at.1 - at.0));
                trace.add(dependency(call, within).under(id));
            }
        }
    }
}

fn chat(call: &Call, turn: &Interaction, at: (f64, f64)) -> Span {
    let text =
        "[{\"role\":\"user\",\"parts\":[{\"type\":\"text\",\"content\":\"a private question\"}]}]";
    let reason = if call.error.is_some() { "error" } else { "end_turn" };
    Span::new(format!("chat {}", call.model), Kind::Client, at)
        .with("gen_ai.operation.name", "chat")
        .with("gen_ai.provider.name", PROVIDER)
        .with("gen_ai.request.model", call.model)
        .with("gen_ai.response.model", call.model)
        .with("gen_ai.conversation.id", Value::Conversation(turn.conversation))
        .with("gen_ai.usage.input_tokens", call.input)
        .with("gen_ai.usage.output_tokens", call.output)
        .with("gen_ai.usage.cache_read.input_tokens", call.cached)
        .with("gen_ai.response.finish_reasons", Value::Texts(vec![reason]))
        .with("gen_ai.input.messages", text)
        .with("gen_ai.output.messages", "[{\"role\":\"assistant\"}]")
        .failed(call.error)
}

fn tool(call: &ToolCall, at: (f64, f64)) -> Span {
    let tool = call.tool;
    let span = Span::new(format!("execute_tool {}", tool.name), Kind::Internal, at)
        .with("gen_ai.operation.name", "execute_tool")
        .with("gen_ai.tool.name", tool.name)
        .with("gen_ai.tool.type", "function")
        .with("bot.tool.outcome", call.outcome)
        .with("bot.tool.write", tool.write)
        .with("bot.tool.result.size", call.result_size)
        .with("gen_ai.tool.call.arguments", "{\"version\":\"3.2.0\",\"component\":\"sql\"}");
    // A declared error is politely wrapped: the call itself succeeded, which is why span status alone tells nothing.
    match (call.outcome, call.error) {
        ("transport_error", error) => span.failed(error),
        (_, error) => span.with_some("error.type", error),
    }
}

/// The call behind a tool.
fn dependency(call: &ToolCall, at: (f64, f64)) -> Span {
    let broken = (call.outcome == "transport_error").then_some("timeout");
    match call.tool.dependency {
        Dependency::OpenSearch => {
            Span::new("search opensearch-integration-test-results", Kind::Client, at)
                .with("db.system.name", "opensearch")
                .with("db.operation.name", "search")
                .with("db.collection.name", "opensearch-integration-test-results")
                .with(
                    "bot.search.mode",
                    if call.result_size.is_multiple_of(3) { "dsl" } else { "agentic" },
                )
        }
        Dependency::GitHub => Span::new(format!("tools/call {}", call.tool.name), Kind::Client, at)
            .with("mcp.method.name", "tools/call")
            .with("gen_ai.tool.name", call.tool.name)
            .with("vcs.repository.name", "opensearch-build"),
        Dependency::Jenkins => http("POST", "build.ci.opensearch.org", at),
        Dependency::Slack => http("POST", "slack.com", at),
        Dependency::Fargate => Span::new("ecs RunTask", Kind::Client, at)
            .with("rpc.service", "ECS")
            .with("rpc.method", "RunTask"),
    }
    .failed(broken)
}

fn http(method: &'static str, server: &'static str, at: (f64, f64)) -> Span {
    Span::new(format!("{method} {server}"), Kind::Client, at)
        .with("http.request.method", method)
        .with("server.address", server)
        .with("http.response.status_code", 200_i64)
}

impl Attempt {
    /// `error`, or `ok`.
    pub const fn result(&self) -> &'static str {
        if self.error.is_some() { "error" } else { "ok" }
    }
}
