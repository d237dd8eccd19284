/** The question about a target that somebody else holds: plain data, so that it can travel to whoever has the user. */
import { z } from 'zod';

/** `impossible`: there is nobody to ask. */
export const heldAnswerSchema = z.enum(['wait', 'share', 'take-over', 'cancel', 'impossible']);
export type HeldAnswer = z.infer<typeof heldAnswerSchema>;

/** A question with the answers that it allows, the safest one last. */
export const heldQuestionSchema = z.object({
  text: z.string(),
  choices: z.array(z.object({ answer: heldAnswerSchema, text: z.string() })),
});
export type HeldQuestion = z.infer<typeof heldQuestionSchema>;

/** As "onHeld" of the launch configuration. */
export const heldPolicies = ['ask', 'fail', 'wait', 'share', 'take-over'] as const;
export type HeldPolicy = (typeof heldPolicies)[number];
