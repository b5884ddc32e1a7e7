//! Three gateways on one PostgreSQL: what one has acknowledged the others know, whatever becomes of it.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::postgres::Schema;
use crate::rollout::{ACME, BUILT_IN, add_and_activate, answers_as};
use crate::support::{ANN, Gateway, NOON, PATIENCE, eventually};

/// How many questions are asked in all, and about how many people.
const QUESTIONS: usize = 100_000;
const PEOPLE: usize = 2_000;
/// How many questions one batch has.
const BATCH: usize = 250;
const PAUSE: Duration = Duration::from_millis(1);

fn three(schema: &Schema) -> Vec<Gateway> {
    thread::scope(|scope| {
        let starting: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| Gateway::start_on(&schema.url())))
            .collect();
        let started = starting.into_iter().map(|one| one.join().unwrap());
        started.collect()
    })
}

fn person(number: usize) -> String {
    format!("+1415555{number:04}")
}

/// Asks only, about noon, or about now, which may be too late in the day.
fn question(to: &str, only_asks: bool) -> Value {
    let mut question = json!({ "channel": "sms", "to": to, "category": "billing" });
    if only_asks {
        question["at"] = NOON.into();
        question["dryRun"] = true.into();
    }
    question
}

/// A race between people who stop, one after the other, and questions about those who do so at the moment.
struct Race {
    gateways: Vec<Gateway>,
    /// By person: whether the stop was acknowledged.
    stopped: Vec<AtomicBool>,
    asked: AtomicUsize,
    allowed: AtomicUsize,
    denied: AtomicUsize,
    /// The gateways that are left.
    left: AtomicUsize,
    /// Whether somebody has found something that must not be.
    lost: AtomicBool,
}

/// Ends the race when a thread fails, so that no other waits for it.
struct Runner<'r>(&'r Race);

impl Drop for Runner<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lost.store(true, Ordering::SeqCst);
        }
    }
}

impl Race {
    /// How many people have been told to stop by now: as many as the questions that were asked allow.
    fn front(&self) -> usize {
        self.asked.load(Ordering::SeqCst) * PEOPLE / QUESTIONS
    }

    fn is_over(&self) -> bool {
        self.lost.load(Ordering::SeqCst) || self.asked.load(Ordering::SeqCst) >= QUESTIONS
    }

    /// Somebody near the front: who has just stopped, is about to, or does so now.
    fn somebody(&self, turn: usize) -> usize {
        (self.front() + turn * 7 % 40)
            .saturating_sub(20)
            .min(PEOPLE - 1)
    }

    /// Asks a gateway; another one when that one is gone, or has too much to do.
    fn ask<T>(&self, turn: usize, mut ask: impl FnMut(&Gateway) -> Option<T>) -> T {
        let started = Instant::now();
        let mut turn = turn;
        loop {
            let left = self.left.load(Ordering::SeqCst);
            if let Some(answer) = ask(&self.gateways[turn % left]) {
                return answer;
            }
            assert!(started.elapsed() < PATIENCE, "nobody answers");
            turn += 1;
        }
    }

    fn post(&self, turn: usize, path: &str, body: &Value) -> Value {
        self.ask(turn, |gateway| {
            let answer = gateway.try_post(path, body).ok()?;
            (answer.status == 200).then_some(answer.json)
        })
    }

    fn count(&self, who: usize, had_stopped: bool, answer: &Value) {
        let allowed = answer["allowed"].as_bool().unwrap();
        assert!(
            !(had_stopped && allowed),
            "a stale send to {}: {answer}",
            person(who)
        );
        let tally = if allowed { &self.allowed } else { &self.denied };
        tally.fetch_add(1, Ordering::SeqCst);
        self.asked.fetch_add(1, Ordering::SeqCst);
    }

    fn stop_people(&self, first: usize) {
        for who in (first..PEOPLE).step_by(3) {
            while self.front() < who && !self.is_over() {
                thread::sleep(PAUSE);
            }
            let message = json!({ "channel": "sms", "from": person(who), "body": "STOP",
                "messageId": format!("M{who}") });
            let answer = self.post(who, "/v1/inbound", &message);
            assert_eq!(answer["intent"], "opt-out");
            self.stopped[who].store(true, Ordering::SeqCst);
        }
    }

    fn ask_one_by_one(&self, first: usize) {
        let mut turn = first;
        while !self.is_over() {
            let who = self.somebody(turn);
            let had_stopped = self.stopped[who].load(Ordering::SeqCst);
            let question = question(&person(who), turn % 2 == 0);
            let answer = self.post(turn, "/v1/preflight", &question);
            self.count(who, had_stopped, &answer);
            turn += 1;
        }
    }

    fn ask_in_batches(&self, first: usize) {
        let mut turn = first;
        while !self.is_over() {
            let people: Vec<usize> = (turn..turn + BATCH)
                .map(|turn| self.somebody(turn))
                .collect();
            let had: Vec<bool> = people
                .iter()
                .map(|who| self.stopped[*who].load(Ordering::SeqCst))
                .collect();
            let lines = people
                .iter()
                .map(|who| question(&person(*who), true).to_string());
            let body = lines.collect::<Vec<_>>().join("\n");
            // A batch that ends before its end was that of the gateway that was killed.
            let answers: Vec<Value> = self.ask(turn, |gateway| {
                let url = gateway.url("/v1/preflight/batch");
                let request = gateway.client().post(url).body(body.clone());
                let answers = request.send().ok()?.error_for_status().ok()?.text().ok()?;
                answers
                    .lines()
                    .map(|line| serde_json::from_str(line).ok())
                    .collect()
            });
            assert_eq!(answers.len(), BATCH);
            for ((who, had_stopped), answer) in people.into_iter().zip(had).zip(&answers) {
                self.count(who, had_stopped, answer);
            }
            turn += BATCH;
        }
    }
}

#[test]
fn no_question_that_races_with_a_stop_gets_a_stale_answer_though_a_gateway_is_killed() {
    let schema = Schema::new();
    let race = Race {
        gateways: three(&schema),
        stopped: (0..PEOPLE).map(|_| AtomicBool::new(false)).collect(),
        asked: AtomicUsize::new(0),
        allowed: AtomicUsize::new(0),
        denied: AtomicUsize::new(0),
        left: AtomicUsize::new(3),
        lost: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let race = &race;
        let run = |part: fn(&Race, usize), number| {
            scope.spawn(move || {
                let runner = Runner(race);
                part(runner.0, number);
            });
        };
        for number in 0..3 {
            run(Race::stop_people, number);
            run(Race::ask_one_by_one, number);
            run(Race::ask_in_batches, number);
            run(Race::ask_in_batches, number + 1);
        }
        while race.asked.load(Ordering::SeqCst) < QUESTIONS / 2 && !race.is_over() {
            thread::sleep(PAUSE);
        }
        // The last one, in the middle of whatever it does.
        let pid = race.gateways[2].pid();
        race.left.store(2, Ordering::SeqCst);
        let killed = std::process::Command::new("kill")
            .args(["-9", &pid.to_string()])
            .status();
        assert!(killed.unwrap().success());
    });
    // It was a race: neither side had won before it began.
    let (allowed, denied) = (race.allowed.into_inner(), race.denied.into_inner());
    assert!(
        allowed > QUESTIONS / 10 && denied > QUESTIONS / 10,
        "{allowed}, {denied}"
    );
    let mut gateways = race.gateways;
    let restarted = gateways.pop().unwrap().kill_and_restart();
    for who in 0..PEOPLE {
        let gateway = [&gateways[0], &gateways[1], &restarted][who % 3];
        assert_eq!(
            gateway.consent(&person(who), "channel=sms"),
            "OPTOUT",
            "{who}"
        );
    }
    let stops: Vec<i64> = schema.column("SELECT count(*) FROM event WHERE intent = 'opt-out'");
    assert_eq!(stops, [i64::try_from(PEOPLE).unwrap()], "each once");
}

#[test]
fn the_active_policy_is_followed_by_all_and_by_whoever_starts_later() {
    let schema = Schema::new();
    let gateways = three(&schema);
    add_and_activate(&gateways[0], ACME);
    for gateway in &gateways {
        eventually("all follow", || answers_as(gateway, ACME));
    }
    assert!(answers_as(&Gateway::start_on(&schema.url()), ACME));
    let why = json!({ "reason": "too strict" });
    gateways[1].post("/v1/policies/rollback", &why).ok();
    for gateway in &gateways {
        eventually("all follow back", || answers_as(gateway, BUILT_IN));
    }
}

#[test]
fn a_message_that_is_delivered_to_several_gateways_is_one() {
    let schema = Schema::new();
    let gateways = three(&schema);
    let message = json!({ "channel": "sms", "from": ANN, "body": "STOP", "messageId": "M1" });
    let answers: Vec<Value> = thread::scope(|scope| {
        let message = &message;
        let deliver = |gateway| scope.spawn(move || Gateway::inbound(gateway, message.clone()));
        let delivering: Vec<_> = gateways.iter().map(deliver).collect();
        let answers = delivering.into_iter().map(|one| one.join().unwrap());
        answers.collect()
    });
    for answer in &answers {
        assert_eq!(answer["eventId"], answers[0]["eventId"]);
        assert_eq!(answer["reply"], answers[0]["reply"]);
    }
    assert_eq!(gateways[0].events(ANN).len(), 1);
}

#[test]
fn a_confirmation_goes_once_whichever_gateway_is_asked() {
    let schema = Schema::new();
    let gateways = three(&schema);
    let stop = gateways[0].text(ANN, "STOP");
    let answer = json!({ "channel": "sms", "to": ANN, "inReplyTo": stop["eventId"] });
    let reasons: Vec<String> = thread::scope(|scope| {
        let answer = &answer;
        let ask = |gateway| scope.spawn(move || Gateway::preflight(gateway, answer.clone()));
        let asking: Vec<_> = gateways.iter().cycle().take(9).map(ask).collect();
        let reason = |answer: Value| answer["reason"].as_str().unwrap().to_owned();
        let answers = asking.into_iter().map(|one| reason(one.join().unwrap()));
        answers.collect()
    });
    let answered = reasons
        .iter()
        .filter(|reason| *reason == "already_answered");
    assert_eq!(answered.count(), 8, "{reasons:?}");
}
