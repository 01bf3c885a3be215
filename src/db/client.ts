import pg from 'pg';

/**
 * pg leaves a connection open that failed on this side, such as for want of a password: the process
 * could not end before the server loses its patience.
 */
export class Client extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config);
    this.connection.once('error', () => this.connection.stream.destroy());
  }
}
