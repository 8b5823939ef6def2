"use strict";
// The same tour service without an ORM: a pg pool and two statements. The stronger peer.
const express = require("express");
const { Pool } = require("pg");
const { openPublisher } = require("./broker");

async function main() {
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 10 });
  await pool.query(
    `CREATE TABLE IF NOT EXISTS tours (
       id varchar(255) PRIMARY KEY, name varchar(255) NOT NULL, available_seats integer NOT NULL,
       created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now())`,
  );
  const publish = await openPublisher(process.env.BROKER_URL);
  const findTour = async (id) =>
    (await pool.query("SELECT id, name, available_seats FROM tours WHERE id = $1", [id])).rows[0];

  const app = express();
  app.use(express.json());

  app.post("/api/tours", async (req, res) => {
    const { id, name, capacity } = req.body;
    await pool.query("INSERT INTO tours (id, name, available_seats) VALUES ($1, $2, $3)", [id, name, capacity]);
    res.status(201).json({ id, name, available_seats: capacity });
  });

  app.get("/api/tours/:id", async (req, res) => {
    const tour = await findTour(req.params.id);
    if (!tour) return res.status(404).json({ error: "Tour non trouvé" });
    res.json(tour);
  });

  app.post("/api/tours/:id/book", async (req, res) => {
    const { seatsToBook } = req.body;
    try {
      const tour = await findTour(req.params.id);
      if (!tour) return res.status(404).json({ error: "Tour non trouvé" });
      if (tour.available_seats < seatsToBook) {
        return res.status(400).json({ error: "Pas assez de places disponibles" });
      }
      const left = tour.available_seats - seatsToBook;
      await pool.query("UPDATE tours SET available_seats = $1, updated_at = now() WHERE id = $2", [left, tour.id]);
      publish(tour.id, left);
      res.json({
        message: "Réservation réussie",
        tour: { id: tour.id, name: tour.name, availableSeats: left },
      });
    } catch (error) {
      console.error(error);
      res.status(500).json({ error: "Erreur serveur" });
    }
  });

  app.listen(Number(process.env.PORT), "127.0.0.1", () => console.log("ready"));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
