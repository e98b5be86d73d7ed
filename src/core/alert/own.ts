// Alerts that the gateway raises about itself: the words by which the rest of core knows them. No sender can use them: what a source calls
// itself is its adapter's word.

/** The source of alerts about the gateway itself. */
export const ownSource = 'quench';

/** Annotation that says how to mend it; pages show it. */
export const fixAnnotation = 'fix';
