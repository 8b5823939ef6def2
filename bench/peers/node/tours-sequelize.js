"use strict";
// Tour service of the plain stack: read the tour, compare, subtract, save, publish.
// Its lost updates under concurrency are not a slip of this bench: they are what this shape does.
const express = require("express");
const { DataTypes, Sequelize } = require("sequelize");
const { openPublisher } = require("./broker");

async function main() {
  const sequelize = new Sequelize(process.env.DATABASE_URL, {
    dialect: "postgres",
    logging: false,
    pool: { max: 10 },
  });
  const Tour = sequelize.define(
    "Tour",
    {
      id: { type: DataTypes.STRING, primaryKey: true },
      name: { type: DataTypes.STRING, allowNull: false },
      available_seats: { type: DataTypes.INTEGER, allowNull: false },
    },
    { tableName: "tours", timestamps: true, underscored: true },
  );
  await sequelize.sync();
  const publish = await openPublisher(process.env.BROKER_URL);

  const app = express();
  app.use(express.json());

  app.post("/api/tours", async (req, res) => {
    const { id, name, capacity } = req.body;
    await Tour.upsert({ id, name, available_seats: capacity });
    res.status(201).json({ id, name, available_seats: capacity });
  });

  app.get("/api/tours/:id", async (req, res) => {
    const tour = await Tour.findByPk(req.params.id);
    if (!tour) return res.status(404).json({ error: "Tour non trouvé" });
    res.json({ id: tour.id, name: tour.name, available_seats: tour.available_seats });
  });

  app.post("/api/tours/:id/book", async (req, res) => {
    const { seatsToBook } = req.body;
    try {
      const tour = await Tour.findByPk(req.params.id);
      if (!tour) return res.status(404).json({ error: "Tour non trouvé" });
      if (tour.available_seats < seatsToBook) {
        return res.status(400).json({ error: "Pas assez de places disponibles" });
      }
      tour.available_seats -= seatsToBook;
      await tour.save();
      publish(tour.id, tour.available_seats);
      res.json({
        message: "Réservation réussie",
        tour: { id: tour.id, name: tour.name, availableSeats: tour.available_seats },
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
