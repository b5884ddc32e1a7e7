// Conversations that are made up, the same ones for the same seed.

const WORDS = [
  "STOP", "stop!!", "Stop please", "STOP2END", "stp", "quit to end", "s t o p", "ＳＴＯＰ", "UNSUBSCRIBE",
  "please stop texting me", "take me off your list", "don't stop", "I am at the bus stop", "stop by at 5",
  "she said stop texting me", "START", "unstop", "yes", "no", "YES please", "nope", "HELP", "info", "help me",
  "who is this?", "I want to talk to a human", "agent", "wrong number", "you have the wrong person", "2",
  "When do you open on Sunday?", "thanks!", "👍", "🛑", "🛑 unsubscribe", "no me escriban más", "baja", "ALTO",
  "ARRET", "Arrêt", "aide", "désabonner", "ABMELDEN", "hör auf mir zu schreiben", "parar", "SAIR", "退订", "停止",
  "إيقاف", "отписаться", "I want to kill myself", "only stop the newsletter", "no more marketing", "ok",
  "cancel my order", "cancel", "end", "END.", "revoke", "opt out", "Opt-Out", "what does it cost?", "",
  "no more texts about promotions please", "stop stop stop", "fuck off", "stop WhatsApp only", "  \n",
  "\u0000", "a".repeat(300), "“stop”", "“STOP” he said", "stop\nstop", "sí", "oui", "nein", "ja",
];
const CATEGORIES = [
  "marketing", "promotions", "newsletter", "follow-up", "utility", "billing", "service", "authentication",
  "unheard-of",
];
const FOOTERS = ["Reply STOP to end", "Text QUIT to quit", "Txt END 2 end msgs", "Responda BAJA para salir"];
const QUESTIONS = ["Would you like to receive offers by SMS?", "Shall we deliver on Friday?"];
const COUNTRIES = ["US", "US", "US", "CA", "GB", "FR", "DE", "ES", "BR", "MX", "IN", "JP"];
const LANGUAGES = ["en", "es", "fr", "de", "pt", "ar", "zh"];
const ZONES = ["America/New_York", "America/Los_Angeles", "Europe/Paris", "Asia/Tokyo", "Australia/Lord_Howe"];
const AREA_CODES = ["212", "415", "305", "850", "808", "480", "203", "206", "512", "833"];
/** How numbers begin, before six digits. */
const NUMBERS = { CA: "+14162", GB: "+447700", FR: "+33639", DE: "+491510", ES: "+34612", BR: "+5511961", MX: "+525512", IN: "+919812", JP: "+819012" };
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A generator of numbers from 0 up to 1 (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** A conversation with a number of its own. All of it lies before `now`, but for what is sent at its end. */
export function conversation(index, seed, now) {
  const next = random(seed * 1_000_003 + index);
  const chance = (share) => next() < share;
  const pick = (list) => list[Math.floor(next() * list.length)];
  const country = pick(COUNTRIES);
  const digits = String(index).padStart(6, "0");
  const number = country === "US" ? `+1${pick(AREA_CODES)}2${digits}` : `${NUMBERS[country]}${digits}`;
  const known = { country, ...(chance(0.5) ? { language: pick(LANGUAGES) } : {}) };
  let at = now - (3 + next() * 200) * HOUR;
  const steps = [];
  const length = 3 + Math.floor(next() * 7);
  for (let step = 0; step < length; step += 1) {
    at = Math.min(at + next() * (chance(0.2) ? 30 * HOUR : 20 * MINUTE), now - MINUTE);
    steps.push(one(new Date(Math.floor(at)).toISOString()));
  }
  if (chance(0.3)) {
    const agreed = new Date(now - MINUTE / 2).toISOString();
    steps.push({ report: {
      status: "OPTIN", channel: "sms", category: "marketing", at: agreed, source: "test",
      evidence: { timestamp: agreed, text: "Yes, text me." },
    } });
    // Four in a row, so that caps are reached; often to Florida by day, where there is one.
    const florida = chance(0.6);
    const burst = florida
      ? new Date(now + 24 * HOUR * (1 + Math.floor(next() * 3))).setUTCHours(17, 0, 0, 0)
      : now + (1 + Math.floor(next() * 48)) * HOUR;
    for (let sent = 0; sent < 4; sent += 1) {
      const step = asked(new Date(burst + sent * MINUTE).toISOString(), false);
      if (florida) Object.assign(step.preflight, { country: "US", region: "US-FL", timeZone: "America/New_York" });
      steps.push(step);
    }
  }
  return { number, known, steps };

  function channel() {
    return chance(0.55) ? "sms" : chance(0.8) ? "whatsapp" : pick(["voice", "email"]);
  }

  function one(moment) {
    const kind = next();
    return kind < 0.5 ? said(moment) : kind < 0.85 ? asked(moment, true) : reported(moment);
  }

  function said(moment) {
    const inbound = { channel: channel(), body: pick(WORDS), sentAt: moment, messageId: `${index}-${steps.length}` };
    if (chance(0.2)) inbound.footer = pick(FOOTERS);
    if (chance(0.15)) inbound.question = pick(QUESTIONS);
    if (chance(0.3)) inbound.lastCategory = pick(CATEGORIES);
    if (chance(0.1)) inbound.selection = { id: pick(["yes", "no", "stop", "row-7"]), title: pick(["Yes", "No", "More", "STOP"]) };
    if (chance(0.05)) inbound.answered = true;
    if (chance(0.05)) inbound.adEntry = true;
    if (chance(0.04) && steps.length) inbound.messageId = `${index}-0`;
    return { inbound };
  }

  function asked(moment, dryRun) {
    const preflight = { channel: channel(), category: pick(CATEGORIES), at: moment, dryRun };
    if (!dryRun) Object.assign(preflight, { channel: "sms", category: "marketing" });
    if (preflight.channel === "whatsapp" && chance(0.6)) {
      preflight.template = { name: "made_up", category: pick(["marketing", "utility", "authentication"]) };
    }
    if (chance(0.2)) preflight.timeZone = pick(ZONES);
    if (chance(0.1)) preflight.region = pick(["US-FL", "US-TX", "US-CA"]);
    // The newest event, or one of them by its number.
    if (chance(0.3)) preflight.inReplyTo = chance(0.4) ? "last" : Math.floor(next() * 5);
    if (chance(0.3)) preflight.explain = true;
    return { preflight };
  }

  function reported(moment) {
    const report = { status: chance(0.7) ? "OPTIN" : "OPTOUT", at: moment, source: "test" };
    if (chance(0.8)) report.channel = channel();
    if (chance(0.7)) report.category = pick(CATEGORIES);
    if (chance(0.6)) report.evidence = { timestamp: moment, text: "Yes, text me." };
    return { report };
  }
}
