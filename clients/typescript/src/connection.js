// The connection below an ORM: a client of pg.
'use strict';

// Presents role and token to the connection itself: the ORM would put the parameters into its errors and give them to its log.
// Then runs `work`.
async function onConnection(connection, request, work) {
  const remember = (error) => {
    request.firstError ??= error;
  };
  const { connection: messages } = connection; // none in pg-native
  messages?.on('errorMessage', remember);
  try {
    await request.begin(({ text, values }) => connection.query(text, values));
    const result = await request.run(work);
    // COMMIT would roll back a failed transaction without an error; this statement has one.
    if (request.firstError || !messages) await connection.query('SELECT');
    return result;
  } finally {
    messages?.removeListener('errorMessage', remember);
  }
}

exports.onConnection = onConnection;
