/** The command "Check This Computer": what will work here, before anything is touched. */
import type { Services } from '../services.ts';
import { type About, placeOptions } from './about.ts';
import { withProgress } from './progress.ts';
import type { ReportDocuments } from './report-document.ts';
import { runProgram } from './run-program.ts';

/** Shows what the doctor says; it ends with a code that is not 0 if no session can stand here, which its text tells. */
export async function doctor(services: Services, documents: ReportDocuments, about: About): Promise<void> {
  const { stdout, problem } = await withProgress('Checking this computer', (_report, signal) =>
    runProgram(services, ['doctor', ...placeOptions(about)], { signal }),
  );
  if (stdout === '' && problem !== undefined) throw problem;
  await documents.show('Check of This Computer', stdout);
}
