import type { Duration } from 'cdk8s';
import type { IConstruct } from 'constructs';
import { UsageError, type UsageErrorSite } from './usage-error';
import { LARGEST_NUMBER } from './whole-number';

/** Refuses a time that is not a whole number of seconds from 1, which is how Kubernetes counts. */
export function checkSeconds(scope: IConstruct, property: string, time: Duration): void {
  secondsOf(time, { scope, property });
}

/** A time in seconds, of which there are at least so many; what is no whole number of them is refused. */
export function secondsOf(time: Duration, site: UsageErrorSite, least: 0 | 1 = 1): number {
  const milliseconds = time.toMilliseconds();
  if (milliseconds < least * 1000 || milliseconds % 1000 !== 0) {
    throw new UsageError(
      `is ${milliseconds} ms, but must be whole seconds${least === 1 ? ', at least one' : ''}`,
      site,
    );
  }
  const seconds = milliseconds / 1000;
  if (seconds > LARGEST_NUMBER) {
    throw new UsageError(`is ${seconds} seconds, but must be at most ${LARGEST_NUMBER}`, site);
  }
  return seconds;
}

/** Whether a text is the name of a time zone; offsets and abbreviations in lower case are none. */
export function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return /^[A-Z]/.test(text);
  } catch {
    return false;
  }
}
