// A policy: what a message that comes in means, and whether one may go out. The contract is
// wit/policy.wit; it says what every field is for.
//
// It sees one contact, the one that the call is about, and asks for it through the imports below. There
// is no clock, no random number and no network: the time comes in with the message.

import { consent, lastInbound, lastAdEntry } from 'consentry:policy/consent-lookup@0.1.0';

const BRAND = 'Example Inc';

const OPT_OUT = new Set([
    'stop', 'stopall', 'stop all', 'stop it', 'stop now', 'quit', 'end', 'revoke', 'cancel',
    'opt out', 'optout', 'unsubscribe', 'unsubscribe me', 'remove me', 'arret', 'arrêt',
    'stop texting', 'stop texting me', 'stop messaging me', 'stop writing me',
    'take me off your list', 'take me off the list', 'remove me from your list',
]);
const OPT_IN = new Set(['start', 'unstop', 'subscribe']);
const HELP = new Set(['help', 'info', 'aide']);
const COURTESIES = new Set(['please', 'pls', 'thanks', 'thank', 'you']);

const CHANNELS = ['sms', 'whatsapp', 'voice', 'email'];

/** What the person or the business needs of the other; no consent is asked for. */
const NEEDS_NO_CONSENT = new Set(['billing', 'service', 'utility', 'authentication']);

const MINUTE = 60_000n;
const HOUR = 60n * MINUTE;
const DAY = 24n * HOUR;
/** When messages that nobody asked for may come, in the contact's own time. */
const [MORNING, EVENING] = [8n * HOUR, 21n * HOUR];

export function describe() {
    return { name: 'my-policy', version: '0.1.0', engine: 'javascript' };
}

export function classify(message) {
    // A tapped button decides by its identifier, not by the words on it.
    const said = words(message.selection?.id ?? message.body);
    if (OPT_OUT.has(said)) {
        const reply = `${BRAND}: you are unsubscribed and will get no more messages.`;
        const changes = CHANNELS.map((channel) => ({ channel, kind: 'opt-out' }));
        return understood(message, 'opt-out', 'words.opt-out', {
            scope: { tag: 'all' }, changes, reply, route: 'disconnect', priority: 'high',
        });
    }
    if (OPT_IN.has(said)) {
        const reply = `${BRAND}: you are subscribed. Reply STOP to end, HELP for help.`;
        const changes = [{ channel: message.channel, kind: 'opt-in' }];
        return understood(message, 'opt-in', 'words.opt-in', {
            scope: { tag: 'channel', val: message.channel }, changes, reply,
        });
    }
    if (HELP.has(said)) {
        const reply = `${BRAND}: this is our message service. Reply STOP to end.`;
        return understood(message, 'help', 'words.help', { reply });
    }
    return understood(message, 'other', 'words.none', {});
}

function understood(message, intent, rule, more) {
    const answer = { changes: [], route: 'bot', priority: 'normal', review: false, ...more };
    if (message.answered) {
        answer.reply = undefined;
    }
    return { intent, rule, ...answer };
}

/** What has no width, and what stands between words: the engine knows no classes such as \p{L}. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u2060\ufeff]/g;
const BETWEEN =
    /[\u0000-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u2000-\u2bff\u3000-\u303f\ufe00-\ufe0f\u{1f000}-\u{1faff}]+/u;

/** The words of a message, in lower case and without courtesies. */
function words(text) {
    return text
        .replace(INVISIBLE, '')
        // Full-width letters in their usual form.
        .replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0))
        .toLowerCase()
        .split(BETWEEN)
        .filter((word) => word !== '' && !COURTESIES.has(word))
        .join(' ');
}

export function preflight(message) {
    // The one confirmation of an opt-out, and the answer to a call for help, may always go: the host
    // has made sure that they answer something.
    if (message.answers.tag !== 'nothing') {
        return allow();
    }
    const known = consent(message.channel, message.category);
    if (known.status === 'opt-out') {
        return deny('opted_out');
    }
    if (message.channel === 'whatsapp') {
        if (message.template) {
            // A template begins a conversation: that takes an opt-in with something to show for it.
            if (known.status !== 'opt-in' || known.proof === 'none') {
                return deny('no_consent');
            }
        } else if (!isWindowOpen(message)) {
            return deny('window_closed');
        }
    }
    if (NEEDS_NO_CONSENT.has(message.category)) {
        return allow();
    }
    if (known.status !== 'opt-in') {
        return deny('no_consent');
    }
    const wait = untilMorning(message);
    if (wait > 0n) {
        return answer({ tag: 'defer-until', val: message.at + wait }, 'silent-failure', 'quiet_hours');
    }
    return allow();
}

/** Whether somebody may be written to freely: a day after they wrote, three after an advertisement. */
function isWindowOpen({ channel, at }) {
    const within = (moment, window) => moment !== undefined && at >= moment && at - moment <= window;
    return within(lastInbound(channel), DAY) || within(lastAdEntry(channel), 3n * DAY);
}

/** How long it is quiet in any of the places where the contact may be; 0 when it is quiet in none. */
function untilMorning({ places, at }) {
    let longest = 0n;
    for (const place of places) {
        const local = at + BigInt(place.offset) * MINUTE;
        const time = ((local % DAY) + DAY) % DAY;
        if (time < MORNING || time >= EVENING) {
            const wait = (MORNING - time + DAY) % DAY;
            longest = wait > longest ? wait : longest;
        }
    }
    return longest;
}

function allow() {
    return answer({ tag: 'allow' }, 'send', 'allowed');
}

function deny(reason) {
    return answer({ tag: 'deny' }, 'silent-failure', reason);
}

function answer(verdict, route, reason) {
    return { verdict, route, reason, reasons: [], limits: [], trace: [] };
}
