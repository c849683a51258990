export { type CheckpointSigner, createCheckpointSigner } from "./checkpoint-signer.ts";
export {
  createKeyholderClient,
  type KeyholderClient,
  KeyholderError,
  type KeyholderErrorCode,
} from "./keyholder-client.ts";
