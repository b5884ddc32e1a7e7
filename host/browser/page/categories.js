/** The categories whose consent is shown. */
export const CATEGORIES = [
  "marketing", "promotions", "newsletter", "follow-up", "utility", "billing", "service", "authentication",
];
