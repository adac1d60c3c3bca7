// The queues that keep the contract.

import { createQueue } from '../../src/adapters/p-queue/queue.ts'
import { describeQueue } from './queue.contract.ts'

describeQueue('p-queue', concurrency => createQueue({ concurrency }))
