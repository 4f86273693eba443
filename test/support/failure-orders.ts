import { Refusal } from './qdrant-refusal';
import type { ReceivedRequest } from './received-request';

/** A failure that a server was told to make. */
interface OrderedFailure {
  readonly matches: (request: ReceivedRequest, number: number) => boolean;
  readonly status: number;
  /** Seconds after which the client is told to come back. */
  readonly retryAfter?: number;
}

/** Failures that a server was told to make, each once. */
export class FailureOrders {
  private readonly orders: OrderedFailure[] = [];

  /** Has one request fail: that of this number, counted from 1. */
  public at(wanted: number, status: number): void {
    this.orders.push({ matches: (_, number) => number === wanted, status });
  }

  /** Has the next request of this method and path fail. */
  public next(method: string, path: string, status: number, retryAfter?: number): void {
    this.orders.push({ matches: (request) => request.method === method && request.path === path, status, retryAfter });
  }

  /** Fails a request that was ordered to. */
  public check(request: ReceivedRequest, number: number): void {
    const index = this.orders.findIndex(({ matches }) => matches(request, number));
    const [failure] = index === -1 ? [] : this.orders.splice(index, 1);
    if (failure !== undefined) {
      throw new Refusal(failure.status, 'Service internal error: told to fail', failure.retryAfter);
    }
  }
}
