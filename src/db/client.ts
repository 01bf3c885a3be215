import pg from 'pg';

/**
 * Closes a connection that failed on our side, such as for a missing password. pg leaves it open,
 * and the process could not exit until the server closes it.
 */
export class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.connection.once('error', () => this.connection.stream.destroy());
  }
}
