// A day with one contact. Run it: node example.mjs

import { Simulator } from "consentry";

const simulator = await Simulator.load({ at: "2026-06-10T19:00:00Z" });
console.log(`${simulator.policy.name} ${simulator.policy.version} ${simulator.policy.digest}`);

simulator.contact({ phoneNumber: "+14155550123", country: "US", language: "en" });
simulator.report({
  status: "OPTIN",
  channel: "sms",
  category: "marketing",
  evidence: { timestamp: "2026-06-10T19:00:00Z", text: "Yes, text me offers." },
});

const ask = () => simulator.preflight({ channel: "sms", category: "marketing" });
console.log("at noon:", ask().reason);

simulator.wait("12h");
console.log("at midnight:", ask().reason, "until", ask().retryAt);

const { intent, reply } = simulator.inbound({ channel: "sms", body: "quit 2 end pls" });
console.log("they wrote:", intent, "-", reply);

simulator.wait("12h");
console.log("at noon again:", ask().reason);
