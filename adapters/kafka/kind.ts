// The shared log as the registry knows it. What its options mean stands at KafkaOptions.
import { checked, type LogKind } from '../kit/kinds.ts';
import { openKafka } from './backbone.ts';
import { KafkaOptions } from './options.ts';

export const kafkaLog: LogKind = { name: 'kafka', options: KafkaOptions, open: (options, deps) => openKafka(checked(options), deps) };
